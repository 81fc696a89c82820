/**
 * One server process from a binary on this machine, whatever its part: a single Redis, a replica, a Sentinel, a node of a
 * Cluster. A free port of loopback, data in a temporary folder, gone with this process even when it is killed (see
 * `redis-supervisor.ts`). Restarts keep port, folder and configuration: what the server itself wrote there included.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { sendSignal } from '../process/send-signal.ts';
import { findFreePort } from './free-port.ts';
import { probeRedis } from './probe-redis.ts';
import { superviseRedis } from './redis-supervisor.ts';
import type { SupervisedRedis } from './redis-supervisor.ts';

export const loopback = '127.0.0.1';
/** Somebody else can take a free port between our look and Redis' bind. Five in a row is not chance. */
const portAttempts = 5;
const defaultStartTimeoutMs = 30_000;

export interface ServerPlace {
  readonly folder: string;
  readonly port: number;
}

export interface ServerProcessSettings {
  readonly binary: string;
  /** Words after the configuration file. Default: none. */
  readonly args?: readonly string[];
  /** Variables that the server alone gets, not the shell that watches it. Default: none. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: a free one, and another when it is taken meanwhile. */
  readonly port?: number;
  readonly password?: string;
  readonly startTimeoutMs?: number;
  /** The text of its configuration file; asked again when the port turns out to be taken. */
  readonly config: (place: ServerPlace) => string | Promise<string>;
}

export interface ServerProcess extends ServerPlace {
  /** Changes with `restart`. */
  readonly pid: number;
  hasEnded(): boolean;
  /** Resolves for SIGKILL when the process has ended, for SIGSTOP (on Linux) when it has stopped. */
  signal(name: NodeJS.Signals): Promise<void>;
  /** Ends it if it runs, starts it again on the same port and data, waits until it answers and has loaded. */
  restart(name?: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  /** Kills it and deletes its data. Safe to call twice. */
  stop(): Promise<void>;
}

type Launch =
  | { readonly status: 'ready'; readonly redis: SupervisedRedis }
  | { readonly status: 'portTaken' }
  | { readonly status: 'failed'; readonly log: string };

/** Throws when the server does not start; the message holds the end of its log. */
export async function startServerProcess(settings: ServerProcessSettings): Promise<ServerProcess> {
  const { binary } = settings;
  for (let attempt = 1; ; attempt++) {
    const port = settings.port ?? (await findFreePort());
    const folder = await mkdtemp(join(tmpdir(), 'millrace-redis-'));
    try {
      await writeFile(configFile(folder), await settings.config({ folder, port }), { mode: 0o600 });
      const launch = await launchServer(settings, { folder, port });
      if (launch.status === 'ready') return serverProcess(settings, { folder, port }, launch.redis);
      if (launch.status === 'failed') throw new Error(`${binary} did not start: ${launch.log}`);
      if (settings.port !== undefined)
        throw new Error(`port ${port} on ${loopback} is taken; choose another or none`);
      if (attempt === portAttempts)
        throw new Error(`no free port on ${loopback} after ${portAttempts} attempts`);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
    await rm(folder, { recursive: true, force: true });
  }
}

async function launchServer(settings: ServerProcessSettings, place: ServerPlace): Promise<Launch> {
  const { folder, port } = place;
  const redis = await superviseRedis(commandLine(settings, folder), folder);
  const deadline = performance.now() + (settings.startTimeoutMs ?? defaultStartTimeoutMs);
  for (;;) {
    if (redis.hasEnded()) {
      const log = `${await redis.waitUntilEnded()}\n${await readLogTail(folder)}`.trim();
      await redis.close('keep');
      return log.includes('Address already in use') ? { status: 'portTaken' } : { status: 'failed', log };
    }
    // Whoever else holds the port may never answer; that Redis ended then says more.
    const probe = await Promise.race([
      probeRedis(port, redis.pid, settings.password),
      redis.waitUntilEnded(),
    ]);
    if (probe === 'ready') return { status: 'ready', redis };
    if (performance.now() > deadline) {
      await redis.close('keep');
      return { status: 'failed', log: `no answer in time on port ${port}\n${await readLogTail(folder)}` };
    }
    await delay(5);
  }
}

function commandLine({ binary, args = [], env = {} }: ServerProcessSettings, folder: string): string[] {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const server = [binary, configFile(folder), ...args];
  return variables.length === 0 ? server : ['env', ...variables, ...server];
}

function serverProcess(
  settings: ServerProcessSettings,
  place: ServerPlace,
  started: SupervisedRedis,
): ServerProcess {
  const { folder, port } = place;
  let redis = started;
  let stopping: Promise<void> | undefined;
  return {
    folder,
    port,
    get pid() {
      return redis.pid;
    },
    hasEnded: () => redis.hasEnded(),
    stop: () => (stopping ??= redis.close('remove')),
    async signal(name) {
      if (redis.hasEnded()) throw new Error(`cannot send ${name}: Redis on port ${port} has already ended`);
      await sendSignal(redis.pid, name);
      if (name === 'SIGKILL') await redis.waitUntilEnded();
    },
    async restart(name = 'SIGKILL') {
      if (stopping !== undefined) throw new Error(`cannot restart Redis on port ${port}: it was stopped`);
      const previous = redis;
      if (!previous.hasEnded()) {
        process.kill(previous.pid, name);
        process.kill(previous.pid, 'SIGCONT'); // a stopped process would keep SIGTERM pending for ever
        await previous.waitUntilEnded();
      }
      const launch = await launchServer(settings, place);
      switch (launch.status) {
        case 'ready':
          // The previous shell lets go of the folder only now: had we been killed meanwhile, it would have removed it.
          redis = launch.redis;
          await previous.close('keep');
          return;
        case 'portTaken':
          throw new Error(`Redis cannot come back on port ${port}: another process took it`);
        case 'failed':
          throw new Error(`Redis did not come back on port ${port}: ${launch.log}`);
      }
    },
  };
}

function configFile(folder: string): string {
  return join(folder, 'redis.conf');
}

async function readLogTail(folder: string): Promise<string> {
  const log = await readFile(join(folder, 'redis.log'), 'utf8').catch(() => '');
  return log.split('\n').slice(-12).join('\n').trim();
}
