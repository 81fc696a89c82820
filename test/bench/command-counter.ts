/**
 * A TCP proxy in front of Redis that counts the commands of whoever connects through it. Redis itself cannot tell:
 * INFO commandstats counts what scripts call too, and CLIENT LIST has a count per connection only from Redis 8 on.
 */
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { RequestCounter } from './request-counter.ts';

export interface CommandCounter extends AsyncDisposable {
  readonly url: string;
  /** Commands received so far, of all connections together. */
  readonly count: number;
  /** The same by name. */
  readonly byName: ReadonlyMap<string, number>;
}

export async function countCommands(redis: {
  readonly host: string;
  readonly port: number;
}): Promise<CommandCounter> {
  const byName = new Map<string, number>();
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(redis.port, redis.host);
    const requests = new RequestCounter((name) => byName.set(name, (byName.get(name) ?? 0) + 1));
    client.on('data', (chunk: Buffer) => requests.read(chunk));
    client.pipe(upstream).pipe(client);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      // One half that breaks takes the other with it; that is all a proxy has to say about it.
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `redis://127.0.0.1:${port}`,
    byName,
    get count() {
      return [...byName.values()].reduce((sum, count) => sum + count, 0);
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
