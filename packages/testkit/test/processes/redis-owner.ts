/** Starts a Redis and waits to be killed. */
import { Redis } from 'ioredis';
import { startRedis } from '@millrace/testkit';

export interface RedisOwnerReport {
  readonly redis: number;
  readonly folder: string;
}

const server = await startRedis();
const redis = new Redis(server.url);
const folder = await redis.config('GET', 'dir');
await redis.set('key', 'value');
const info = await redis.info('server');
process.send?.({ redis: Number(/process_id:(\d+)/.exec(info)?.[1]), folder: folder[1] });
process.on('message', () => {
  void server.signal('SIGSTOP').then(() => process.send?.('frozen'));
});
