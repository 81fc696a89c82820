/**
 * A private Redis from a binary on this machine: a free port on loopback, data in a temporary folder, gone with this
 * process even when it is killed (see `redis-supervisor.ts`).
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { sendSignal } from '../process/send-signal.ts';
import { probeRedis } from './probe-redis.ts';
import { renderRedisConfig } from './redis-config.ts';
import { redisUrl } from './redis-server.ts';
import type { RedisServer, StartRedisOptions } from './redis-server.ts';
import { superviseRedis } from './redis-supervisor.ts';
import type { SupervisedRedis } from './redis-supervisor.ts';

const host = '127.0.0.1';
/** Somebody else can take a free port between our look and Redis' bind. Five in a row is not chance. */
const portAttempts = 5;

type Launch =
  | { readonly status: 'ready'; readonly redis: SupervisedRedis }
  | { readonly status: 'portTaken' }
  | { readonly status: 'failed'; readonly log: string };

/** Throws when the server does not start; the message holds the end of its log. */
export async function startEmbeddedRedis(
  binary: string,
  options: StartRedisOptions = {},
): Promise<RedisServer> {
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await findFreePort());
    const folder = await mkdtemp(join(tmpdir(), 'millrace-redis-'));
    try {
      await writeFile(join(folder, 'redis.conf'), renderRedisConfig({ folder, port }, options), {
        mode: 0o600,
      });
      const launch = await launchRedis(binary, folder, port, options);
      if (launch.status === 'ready') return embeddedServer(binary, folder, port, options, launch.redis);
      if (launch.status === 'failed') throw new Error(`${binary} did not start: ${launch.log}`);
      if (options.port !== undefined)
        throw new Error(`port ${port} on ${host} is taken; choose another or none`);
      if (attempt === portAttempts) throw new Error(`no free port on ${host} after ${portAttempts} attempts`);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
    await rm(folder, { recursive: true, force: true });
  }
}

async function launchRedis(
  binary: string,
  folder: string,
  port: number,
  options: StartRedisOptions,
): Promise<Launch> {
  const redis = await superviseRedis(binary, folder);
  const deadline = performance.now() + (options.startTimeoutMs ?? 30_000);
  for (;;) {
    if (redis.hasEnded()) {
      const log = `${await redis.waitUntilEnded()}\n${await readLogTail(folder)}`.trim();
      await redis.close('keep');
      return log.includes('Address already in use') ? { status: 'portTaken' } : { status: 'failed', log };
    }
    // Whoever else holds the port may never answer; that Redis ended then says more.
    const probe = await Promise.race([
      probeRedis(port, redis.pid, options.requirepass),
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

function embeddedServer(
  binary: string,
  folder: string,
  port: number,
  options: StartRedisOptions,
  started: SupervisedRedis,
): RedisServer {
  let redis = started;
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopping ??= redis.close('remove'));

  const signal = async (name: NodeJS.Signals): Promise<void> => {
    if (redis.hasEnded()) throw new Error(`cannot send ${name}: Redis on port ${port} has already ended`);
    await sendSignal(redis.pid, name);
    if (name === 'SIGKILL') await redis.waitUntilEnded();
  };

  const restart = async (name: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> => {
    if (stopping !== undefined) throw new Error(`cannot restart Redis on port ${port}: it was stopped`);
    const previous = redis;
    if (!previous.hasEnded()) {
      process.kill(previous.pid, name);
      process.kill(previous.pid, 'SIGCONT'); // a stopped process would keep SIGTERM pending for ever
      await previous.waitUntilEnded();
    }
    const launch = await launchRedis(binary, folder, port, options);
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
  };

  return {
    url: redisUrl(host, port, options.requirepass),
    host,
    port,
    source: 'binary',
    get pid() {
      return redis.pid;
    },
    stop,
    signal,
    restart,
    [Symbol.asyncDispose]: stop,
  };
}

async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('the free port has no number');
  return address.port;
}

async function readLogTail(folder: string): Promise<string> {
  const log = await readFile(join(folder, 'redis.log'), 'utf8').catch(() => '');
  return log.split('\n').slice(-12).join('\n').trim();
}
