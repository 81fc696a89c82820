/**
 * A repository's history as a stream of changes whose fold is exactly the tree of its HEAD.
 *
 * Exact by construction: the commits are put in one order (parents first), and each is compared with the commit
 * *before it in that order*, the first with the empty tree. Folding up to commit n therefore gives the tree of n, also
 * across merges. Comparing with parents was rejected: a merge has several, and the changes of parallel branches would
 * overwrite each other in whatever order they come.
 *
 * Both git processes are streamed, with back-pressure from the consumer of `changes()` back to git.
 */
import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';

import type { Change, Tree } from './change.ts';
import { GitError, runGit, startGit } from './git.ts';
import { RawDiffParser } from './raw-diff-parser.ts';

/** The folder holds no history to play; the message says why. */
export class NoHistoryError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'NoHistoryError';
  }
}

export class GitHistory {
  readonly directory: string;
  /** HEAD when the history was opened. Later commits do not change what is read. */
  readonly head: string;

  private constructor(directory: string, head: string) {
    this.directory = directory;
    this.head = head;
  }

  /** Throws `NoHistoryError` when there is no repository at (or above) the folder, or no commit in it. */
  static async open(directory: string): Promise<GitHistory> {
    try {
      await runGit(directory, ['rev-parse', '--git-dir']);
    } catch (error) {
      if (!(error instanceof GitError)) throw error;
      // Without an exit code git has not looked at the folder at all.
      const where = error.exitCode === null ? '' : `no git repository at ${directory}: `;
      throw new NoHistoryError(`${where}${error.message}`, { cause: error });
    }
    try {
      const head = await runGit(directory, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}']);
      return new GitHistory(directory, head.toString().trim());
    } catch (error) {
      if (error instanceof GitError)
        throw new NoHistoryError(`the repository at ${directory} has no commit yet`, { cause: error });
      throw error;
    }
  }

  /** Every change of every commit, oldest first, in pieces of as many as git delivered at once. */
  async *changes(): AsyncGenerator<readonly Change[], void, undefined> {
    const commits = startGit(this.directory, ['rev-list', '--topo-order', '--reverse', this.head]);
    commits.stdin.end();
    // Submodules that .gitmodules marks as ignored are left out of a diff by default, yet stand in the tree.
    const diffOptions = '--root -r --raw -z --no-abbrev --no-renames --ignore-submodules=none'.split(' ');
    const diff = startGit(this.directory, ['diff-tree', '--stdin', ...diffOptions]);
    const fed = pipeline(pairs(commits.stdout), diff.stdin);
    const ended = Promise.all([commits.finished, diff.finished]);
    // Both are awaited at the end; until then a failure must not count as unhandled.
    for (const outcome of [fed, ended]) outcome.catch(() => {});
    try {
      const parser = new RawDiffParser();
      for await (const chunk of diff.stdout as AsyncIterable<Buffer>) {
        const changes = parser.push(chunk);
        if (changes.length > 0) yield changes;
      }
      // In this order: a git that failed says why, the pipe to it only says that it broke.
      await ended;
      await fed;
      parser.end();
    } finally {
      commits.stop();
      diff.stop();
    }
  }

  async countChanges(): Promise<number> {
    let count = 0;
    for await (const changes of this.changes()) count += changes.length;
    return count;
  }

  /** The tree of HEAD as `git ls-tree -r` lists it, submodules included. */
  async tree(): Promise<Tree> {
    const git = startGit(this.directory, ['ls-tree', '-r', '-z', '--full-tree', this.head]);
    git.stdin.end();
    const tree: Tree = new Map();
    let rest = '';
    for await (const chunk of git.stdout as AsyncIterable<Buffer>) {
      const entries = (rest + chunk.toString('latin1')).split('\0');
      rest = entries.pop() ?? '';
      for (const entry of entries) {
        // <mode> SP <type> SP <object id> TAB <path>; the path may hold tabs itself.
        const tab = entry.indexOf('\t');
        const [mode, , blob] = entry.slice(0, tab).split(' ');
        tree.set(entry.slice(tab + 1), `${mode} ${blob}`);
      }
    }
    await git.finished;
    return tree;
  }
}

/** `<commit> <commit before it>` a line: diff-tree takes the second as the only parent of the first. */
async function* pairs(commits: Readable): AsyncGenerator<string> {
  let previous = '';
  for await (const commit of createInterface({ input: commits, crlfDelay: Infinity })) {
    yield previous === '' ? `${commit}\n` : `${commit} ${previous}\n`;
    previous = commit;
  }
}
