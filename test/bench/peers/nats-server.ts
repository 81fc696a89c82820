/** A private NATS server with JetStream, for as long as the row that needs it runs. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface NatsServer extends AsyncDisposable {
  readonly port: number;
}

const START_TIMEOUT_MS = 10_000;

export async function startNats(binary: string): Promise<NatsServer> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-nats-'));
  // Port -1: a free one, which its log names.
  const server = spawn(binary, ['-js', '-a', '127.0.0.1', '-p', '-1', '-sd', folder], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(server, 'exit');
  const port = await new Promise<number>((resolve, reject) => {
    let log = '';
    const timer = setTimeout(() => reject(new Error(`nats-server did not start: ${log}`)), START_TIMEOUT_MS);
    server.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      log += chunk;
      const match = /Listening for client connections on [\d.]+:(\d+)/.exec(log);
      if (match === null || !log.includes('Server is ready')) return;
      clearTimeout(timer);
      resolve(Number(match[1]));
    });
    server.once('exit', () => reject(new Error(`nats-server ended: ${log}`)));
    server.once('error', reject);
  });
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.kill('SIGKILL');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
