/**
 * Sits between a client and Redis and breaks connections at the worst moment: the command has been executed and its
 * reply is on the way. CLIENT KILL does not do that: Redis writes the replies that are due before it closes.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface ReplyDroppingProxy extends AsyncDisposable {
  readonly url: string;
  /** Connections that were broken instead of delivering a reply. */
  readonly dropped: number;
}

/** Lets a connection's first replies through (its greeting), and from then on every reply but each `nth`. */
export async function startReplyDroppingProxy(redisUrl: string, nth: number): Promise<ReplyDroppingProxy> {
  const { hostname, port } = new URL(redisUrl);
  const sockets = new Set<Socket>();
  let replies = 0;
  let dropped = 0;
  const server = createServer((client) => {
    const redis = connect(Number(port), hostname);
    const close = (): void => {
      for (const socket of [client, redis]) {
        socket.destroy();
        sockets.delete(socket);
      }
    };
    for (const socket of [client, redis]) {
      sockets.add(socket);
      socket.on('error', close).on('close', close).setNoDelay(true);
    }
    const greetings = 4;
    let seen = 0;
    client.on('data', (chunk) => redis.write(chunk));
    redis.on('data', (chunk) => {
      if (++seen > greetings && ++replies % nth === 0) {
        dropped++;
        close();
      } else {
        client.write(chunk);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get dropped() {
      return dropped;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}
