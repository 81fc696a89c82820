/** A seek stands: against what was sent before it and arrives late, and against replies that never come. */
import type { Fence } from '@millrace/core';
import { createKeys, RedisPartitionStore, type RedisConnection } from '@millrace/redis';
import { eventually, startFaultProxy, type ProxiedCommand } from '@millrace/testkit';
import { describe, expect } from 'vitest';
import { connect } from '../../src/index.ts';
import {
  at,
  failure,
  GROUP,
  Member,
  offsetsOf,
  test,
  TOPIC,
  values,
  type Stage,
} from './consumer-fixture.ts';

/** EVALSHA, digest, 2, both keys, epoch, nonce, offset: no commit of these tests is of offset 2. */
const seeksTo2 = ({ name, words }: ProxiedCommand): boolean => name === 'EVALSHA' && words[7] === '2';

/** What the owner of `orders/0` sends with its commits at this moment. */
async function fenceInUse(redis: RedisConnection, prefix: string): Promise<Fence> {
  const stored = await redis.hgetall(createKeys(prefix).partition(TOPIC, 0).group(GROUP));
  const server = /master_replid:(\w+)/.exec(await redis.info('replication'))?.[1] ?? '';
  const { epoch, nonce = '' } = stored;
  return { topic: TOPIC, partition: 0, group: GROUP, epoch: Number(epoch), nonce, server };
}

test('a commit and a seek that arrive after it change nothing, and the owner goes on', async ({
  stage,
  ioredis,
}) => {
  await stage.createTopic(1);
  await stage.sendBatch(0, values('v', 8));
  const worker = await stage.worker();
  await stage.untilCommitted(0, 8);
  const before = await fenceInUse(ioredis, stage.prefix);
  worker.consumer.pause([at(0, 0)]);
  await worker.consumer.seek(at(0, 2));

  const late = new RedisPartitionStore(ioredis, createKeys(stage.prefix));
  expect(await late.commit(before, 8, '')).toMatchObject({ status: 'FENCED' });
  expect(await late.seek(before, 8, 'late')).toMatchObject({ status: 'FENCED' });
  expect(await stage.committed(0)).toBe(2);

  worker.consumer.resume([at(0, 0)]);
  await stage.untilCommitted(0, 8);
  expect(offsetsOf(worker.delivered, 0).slice(8)).toEqual([2, 3, 4, 5, 6, 7]);
  expect(worker.told.lost).toEqual([]);
});

describe('a seek whose reply is lost', () => {
  test('is repeated until it is answered, and the partition stays', async ({ stage }) => {
    await using far = await workFarAway(stage);
    const { worker, proxy } = far;
    using drops = proxy.dropReplies({ matching: seeksTo2, count: 2 });
    await worker.consumer.seek(at(0, 2));
    expect(drops.dropped).toBe(2);
    await stage.untilCommitted(0, 8);
    await worker.untilHandled(14);
    expect(offsetsOf(worker.delivered, 0).slice(8)).toEqual([2, 3, 4, 5, 6, 7]);
    expect(worker.told.lost).toEqual([]);
    expect((await stage.history('offset-sought')).map(({ fields }) => fields['to'])).toEqual(['8', '2']);
    expect((await stage.history('offset-sought')).map(({ fields }) => fields['from'])).toEqual(['8', '8']);
  });

  test('for ever does not keep the consumer from closing, and its heir begins where it was sought', async ({
    stage,
  }) => {
    await using far = await workFarAway(stage);
    const { worker, proxy } = far;
    worker.consumer.pause([at(0, 0)]);
    using drops = proxy.dropReplies({ matching: seeksTo2, count: Number.MAX_SAFE_INTEGER });
    const seeking = failure(worker.consumer.seek(at(0, 2)));
    await eventually(() => drops.dropped > 0);
    await worker.consumer.close();
    expect(await seeking).toMatchObject({ code: 'REDIS_UNREACHABLE' });

    const heir = await stage.worker();
    await heir.untilHandled(6);
    expect(offsetsOf(heir.delivered, 0)).toEqual([2, 3, 4, 5, 6, 7]);
    await stage.untilCommitted(0, 8);
  });
});

/** A worker that has done the eight records of `orders/0`, through a network that can be broken. */
async function workFarAway(stage: Stage) {
  await stage.createTopic(1);
  await stage.sendBatch(0, values('v', 8));
  await using stack = new AsyncDisposableStack();
  const { hostname: host, port } = new URL(stage.url);
  const proxy = stack.use(await startFaultProxy({ target: { host, port: Number(port) } }));
  const url = `redis://${proxy.host}:${proxy.port}`;
  const client = stack.use(await connect({ url, prefix: stage.prefix, logger: false }));
  const worker = new Member(client, { group: GROUP, topics: [TOPIC] });
  await worker.work();
  await stage.untilCommitted(0, 8);
  // A server that does not know the script says so, and to drop that answer would lose nothing.
  await worker.consumer.seek(at(0, 8));
  const begun = stack.move();
  return { worker, proxy, [Symbol.asyncDispose]: () => begun.disposeAsync() };
}

test('a record that proves unreadable after its partition was sought away from halts nothing', async ({
  stage,
}) => {
  await stage.createTopic(1);
  await stage.sendBatch(0, values('v', 4));
  const reading = Promise.withResolvers<void>();
  const verdict = Promise.withResolvers<void>();
  let isFirst = true;
  const slow = {
    name: TOPIC,
    value: {
      encode: String,
      decode: async (bytes: Buffer): Promise<string> => {
        if (isFirst) {
          isFirst = false;
          reading.resolve();
          await verdict.promise;
          throw new Error('unreadable');
        }
        return bytes.toString();
      },
    },
  };
  const consumer = (await stage.client()).consumer({ group: GROUP, topics: [slow] });
  const errors: string[] = [];
  consumer.on('error', ({ code }) => errors.push(code));
  await consumer.run({ eachRecord: () => {} });
  await reading.promise;
  await consumer.seek(at(0, 2));
  verdict.resolve();
  await stage.untilCommitted(0, 4);
  expect(errors).toEqual([]);
});
