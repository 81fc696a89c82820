/** A git repository in a temporary folder, built by hand with ordinary git commands and gone with its scope. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export async function temporaryFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'millrace-demo-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export class TemporaryRepository implements AsyncDisposable {
  readonly path: string;
  readonly #remove: () => PromiseLike<void>;

  private constructor(path: string, remove: () => PromiseLike<void>) {
    this.path = path;
    this.#remove = remove;
  }

  static async create(...initOptions: string[]): Promise<TemporaryRepository> {
    const folder = await temporaryFolder();
    const repository = new TemporaryRepository(folder.path, () => folder[Symbol.asyncDispose]());
    repository.git('init', '--quiet', '--initial-branch=main', ...initOptions);
    return repository;
  }

  git(...args: string[]): string {
    return execFileSync('git', args, {
      cwd: this.path,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        HOME: this.path,
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_AUTHOR_NAME: 'A',
        GIT_AUTHOR_EMAIL: 'a@example.org',
        GIT_AUTHOR_DATE: '1700000000 +0000',
        GIT_COMMITTER_NAME: 'C',
        GIT_COMMITTER_EMAIL: 'c@example.org',
        GIT_COMMITTER_DATE: '1700000000 +0000',
      },
    });
  }

  async write(path: string | Buffer, content: string): Promise<void> {
    const file = typeof path === 'string' ? path : Buffer.concat([Buffer.from(`${this.path}/`), path]);
    await writeFile(typeof file === 'string' ? join(this.path, file) : file, content);
  }

  /** Commits whatever the folder and the index hold now. */
  commit(message = 'change'): string {
    this.git('add', '--all');
    this.git('commit', '--quiet', '--allow-empty', '--message', message);
    return this.git('rev-parse', 'HEAD').trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#remove();
  }
}
