/**
 * Redis in a container, through testcontainers, which also removes the container when this process is killed (its reaper
 * holds a connection). The library is large, so it is loaded only after a daemon has answered.
 */
import { access } from 'node:fs/promises';
import { request } from 'node:http';
import type { RequestOptions } from 'node:http';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { mergeDirectives } from './redis-config.ts';
import { redisUrl } from './redis-server.ts';
import type { RedisServer, StartRedisOptions } from './redis-server.ts';

const defaultImage = 'redis:8-alpine';
const containerPort = 6379;
/** A daemon on this machine answers a ping in milliseconds; one that takes longer would make the run hang later. */
const defaultPingTimeoutMs = 2_000;

/** `MILLRACE_REDIS_IMAGE` names one that the machine has, or a version to test with. */
export function redisImage(env: NodeJS.ProcessEnv): string {
  const named = env['MILLRACE_REDIS_IMAGE'];
  return named === undefined || named === '' ? defaultImage : named;
}

/** Whether a Docker daemon answers, at `DOCKER_HOST` or at one of the usual sockets. */
export async function dockerAnswers(
  env: NodeJS.ProcessEnv,
  pingTimeoutMs: number = defaultPingTimeoutMs,
): Promise<boolean> {
  for (const address of await daemonAddresses(env)) {
    if (await ping(address, pingTimeoutMs)) return true;
  }
  return false;
}

async function daemonAddresses(env: NodeJS.ProcessEnv): Promise<RequestOptions[]> {
  const named = env['DOCKER_HOST'];
  if (named !== undefined && named !== '') {
    if (named.startsWith('unix://')) return [{ socketPath: named.slice('unix://'.length) }];
    if (!URL.canParse(named)) return [];
    const { protocol, hostname, port } = new URL(named);
    return protocol === 'tcp:' || protocol === 'http:' ? [{ host: hostname, port: port || 2375 }] : [];
  }
  const sockets = ['/var/run/docker.sock', join(homedir(), '.docker/run/docker.sock')];
  if (env['XDG_RUNTIME_DIR'] !== undefined) sockets.push(join(env['XDG_RUNTIME_DIR'], 'docker.sock'));
  const present: RequestOptions[] = [];
  for (const socketPath of sockets) {
    await access(socketPath).then(
      () => present.push({ socketPath }),
      () => {},
    );
  }
  return present;
}

function ping(address: RequestOptions, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const call = request({ ...address, path: '/_ping', timeout: timeoutMs }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    call.on('timeout', () => call.destroy());
    call.on('error', () => resolve(false));
    call.on('close', () => resolve(false));
    call.end();
  });
}

/** Starts a container. Rejects when the image cannot be had or the server does not start. */
export async function startDockerRedis(options: StartRedisOptions = {}): Promise<RedisServer> {
  const { GenericContainer, Wait, getContainerRuntimeClient } = await import('testcontainers');
  const command = ['redis-server'];
  for (const [name, value] of mergeDirectives(options)) command.push(`--${name}`, value);
  const container = await new GenericContainer(redisImage(process.env))
    .withCommand(command)
    .withExposedPorts(
      options.port === undefined ? containerPort : { container: containerPort, host: options.port },
    )
    .withWaitStrategy(Wait.forLogMessage(/Ready to accept connections/))
    .withStartupTimeout(options.startTimeoutMs ?? 30_000)
    .start();
  const host = container.getHost();
  const port = container.getMappedPort(containerPort);
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopping ??= container.stop({ timeout: 0 }).then(() => {}));
  return {
    url: redisUrl(host, port, options.requirepass),
    host,
    port,
    source: 'docker',
    stop,
    async signal(name) {
      const runtime = await getContainerRuntimeClient();
      await runtime.container.getById(container.getId()).kill({ signal: name });
    },
    [Symbol.asyncDispose]: stop,
  };
}
