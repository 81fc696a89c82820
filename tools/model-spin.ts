/** Spin, the model checker: found or installed, and run on one instance in a folder of its own. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseVerdict, type Verdict } from './model-verdict.ts';

export interface SpinRun {
  readonly verdict: Verdict;
  /** Wall clock of the search alone, without compiling. */
  readonly seconds: number;
}

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

const SEARCH_TIMEOUT_MS = 300_000;
/** MB. Beyond it the verifier stops, and the run counts as inconclusive. */
const MAX_MEMORY_MB = 1_000;
const PACKAGES = ['spin', 'gcc', 'libc6-dev'];

/** Installs Spin and a C compiler with apt where we are root on Debian or Ubuntu; throws with what to do elsewhere. */
export async function ensureSpin(): Promise<void> {
  if (await isThere()) return;
  const osRelease = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const mayInstall = process.getuid?.() === 0 && /^ID(?:_LIKE)?=.*\b(?:debian|ubuntu)\b/m.test(osRelease);
  const hint =
    process.platform === 'darwin'
      ? 'brew install spin'
      : `sudo apt-get install ${PACKAGES.join(' ')} (or your system's packages)`;
  if (!mayInstall) throw new Error(`the model needs spin and gcc, and they are not there: ${hint}`);
  const wait = ['-o', 'DPkg::Lock::Timeout=120', '-o', 'Acquire::Retries=3'];
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', ...PACKAGES]]) {
    const { code, output } = await run('apt-get', [...wait, ...args], { timeout: 300_000 });
    if (code !== 0) {
      throw new Error(`apt-get ${args.join(' ')} failed: ${output.trim().split('\n').slice(-5).join('\n')}`);
    }
  }
  if (!(await isThere())) throw new Error(`spin or gcc does not run although apt installed them: ${hint}`);
}

async function isThere(): Promise<boolean> {
  const found = await Promise.all([run('spin', ['-V']), run('gcc', ['--version'])]);
  return found.every(({ code }) => code === 0);
}

/** Searches every state of the instance that `defines` choose. */
export async function checkInstance(model: string, defines: readonly string[]): Promise<SpinRun> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-model-'));
  try {
    const definitions = defines.map((define) => `-D${define}`);
    const generated = await run('spin', ['-a', ...definitions, model], { cwd: folder });
    // Spin's own errors come with exit code 0 now and then; without pan.c the compiler says so.
    if (generated.code !== 0) return inconclusive('spin', generated);
    // NOREDUCE: every step reads what all members share, so there is no order to leave out.
    const flags = ['-O1', '-w', '-DSAFETY', '-DNOREDUCE', '-DVECTORSZ=512', `-DMEMLIM=${MAX_MEMORY_MB}`];
    const compiled = await run('gcc', [...flags, '-o', 'pan', 'pan.c'], { cwd: folder });
    if (compiled.code !== 0)
      return inconclusive('gcc', { ...compiled, output: generated.output + compiled.output });
    const startedMs = performance.now();
    // -E: that nobody can do anything when all limits are used up is no error. -w: slots of the hash table, 2^22.
    const ended = await run(join(folder, 'pan'), ['-E', '-m20000', '-w22'], {
      cwd: folder,
      timeout: SEARCH_TIMEOUT_MS,
    });
    const seconds = (performance.now() - startedMs) / 1_000;
    return { verdict: parseVerdict(ended.output, ended.code), seconds };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function inconclusive(program: string, { code, output }: Ended): SpinRun {
  const reason = `${program}, exit code ${code}: ${output.trim().split('\n').slice(0, 3).join(' | ')}`;
  return { verdict: { status: 'inconclusive', reason }, seconds: 0 };
}

function run(
  program: string,
  args: readonly string[],
  options: { cwd?: string; timeout?: number } = {},
): Promise<Ended> {
  return new Promise((resolve) => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const child = execFile(
      program,
      args,
      { ...options, env, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : child.exitCode, output: stdout + stderr });
      },
    );
  });
}
