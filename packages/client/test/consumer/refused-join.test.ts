/** A Redis that answers and refuses: what `run` rejects with can be told apart by its code, like every error. */
import { closeConnection, openConnection } from '@millrace/redis';
import { startRedis } from '@millrace/testkit';
import { expect, test } from 'vitest';
import { connect } from '../../src/index.ts';
import { failure } from './consumer-fixture.ts';

test('joining a group on a Redis that has too few replicas is refused with an error of ours', async () => {
  await using server = await startRedis();
  await using millrace = await connect({ url: server.url, logger: false });
  await millrace.admin.createTopic('orders', { partitions: 1 });
  const redis = await openConnection({ url: server.url, connectTimeoutMs: 10_000 }, 'command', 'test');
  await redis.config('SET', 'min-replicas-to-write', '1');

  const consumer = millrace.consumer({ group: 'workers', topics: ['orders'] });
  const error = await failure(consumer.run({ eachRecord: () => {} }));
  expect(error).toMatchObject({ code: 'REDIS_REFUSED', retryable: true });
  await closeConnection(redis);
});
