import { crc32 } from 'node:zlib';
import { describe, expect } from 'vitest';
import { eventually } from '@millrace/testkit';
import { createKeys, encodeBatch, type RedisConnection } from '@millrace/redis';
import { at, offsetsOf, test, TOPIC, values, type Stage } from './consumer-fixture.ts';

/** Stores a batch of one record past the append script, as a damaged disk or a newer version would leave it. */
async function storeRaw(
  stage: Stage,
  redis: RedisConnection,
  offset: number,
  damage: (batch: Buffer) => void,
): Promise<void> {
  const batch = Buffer.from(encodeBatch([{ value: 'damaged', timestampMs: 0 }]));
  damage(batch);
  const { log, state } = createKeys(stage.prefix).partition(TOPIC, 0);
  await redis.xadd(log, `0-${offset + 1}`, 't', '1', 'b', batch);
  await redis.hset(state, 'end', offset + 1);
}

/** Attributes as a newer version would set them: byte 5, behind the version and the checksum of what follows. */
function setAttributes(batch: Buffer, attributes: number): void {
  batch.writeUInt8(attributes, 5);
  batch.writeUInt32BE(crc32(batch.subarray(5)), 1);
}

describe('an entry that cannot be read', () => {
  test.for([
    {
      what: 'damaged bytes',
      code: 'CORRUPT_BATCH',
      says: 'batch at orders/0 offset 2 is corrupt: checksum mismatch',
      damage: (batch: Buffer) => batch.writeUInt8(batch.readUInt8(batch.length - 1) ^ 1, batch.length - 1),
    },
    {
      what: 'a version of the future',
      code: 'UNSUPPORTED_BATCH_VERSION',
      says: 'batch at orders/0 offset 2 has version 99, this Millrace reads version 1',
      damage: (batch: Buffer) => batch.writeUInt8(99, 0),
    },
    {
      what: 'a codec of the future',
      code: 'UNSUPPORTED_BATCH_VERSION',
      says: 'batch at orders/0 offset 2 has version 1 with attributes 2',
      damage: (batch: Buffer) => setAttributes(batch, 2),
    },
    {
      what: 'records that are not compressed as they should be',
      code: 'CORRUPT_BATCH',
      says: 'batch at orders/0 offset 2 is corrupt: ',
      damage: (batch: Buffer) => setAttributes(batch, 1),
    },
  ])(
    'because of $what halts its partition only; a seek goes past it',
    async ({ code, says, damage }, { stage, ioredis }) => {
      await stage.createTopic(2);
      await stage.send(0, values('v', 2));
      await storeRaw(stage, ioredis, 2, damage);
      const worker = await stage.worker();
      await eventually(() => worker.codes.length === 1);
      expect(worker.told.error).toMatchObject([{ name: 'DataError', code }]);
      expect(worker.told.error[0]?.message).toContain(says);
      await stage.send(1, values('w', 2));
      await eventually(() => offsetsOf(worker.handled, 1).length === 2);
      expect(offsetsOf(worker.handled, 0)).toEqual([0, 1]);
      await stage.untilCommitted(0, 2);
      await worker.consumer.seek(at(0, 3));
      await stage.untilCommitted(0, 3);
      expect(worker.codes).toEqual([code]);
    },
  );

  test('because somebody else wrote it halts its partition only, and what is before it is delivered', async ({
    stage,
    ioredis,
  }) => {
    await stage.createTopic(2);
    await stage.send(0, values('v', 2));
    const worker = await stage.worker();
    await worker.untilHandled(2);
    await ioredis.xadd(createKeys(stage.prefix).partition(TOPIC, 0).log, '*', 'hello', 'world');
    await eventually(() => worker.codes.length === 1);
    expect(worker.told.error).toMatchObject([
      { name: 'DataError', code: 'FOREIGN_ENTRY', details: { topic: TOPIC, partition: 0 } },
    ]);
    await stage.send(1, values('w', 2));
    await eventually(() => offsetsOf(worker.handled, 1).length === 2);
    worker.consumer.resume([at(0, 0)]);
    await eventually(() => worker.codes.length === 2);
    expect(worker.codes).toEqual(['FOREIGN_ENTRY', 'FOREIGN_ENTRY']);
    expect(offsetsOf(worker.handled, 0)).toEqual([0, 1]);
    await stage.untilCommitted(0, 2);
  });

  test('because records before it were taken out of the middle halts its partition', async ({
    stage,
    ioredis,
  }) => {
    await stage.createTopic(1);
    await stage.send(0, values('v', 2));
    const worker = await stage.worker();
    await stage.untilCommitted(0, 2);
    worker.consumer.pause([at(0, 0)]);
    const { log, state } = createKeys(stage.prefix).partition(TOPIC, 0);
    const batch = Buffer.from(encodeBatch([{ value: 'later', timestampMs: 0 }]));
    await ioredis.multi().xadd(log, '0-5', 't', '1', 'b', batch).hset(state, { start: 0, end: 5 }).exec();
    await eventually(() => worker.codes.includes('OFFSET_OUT_OF_RANGE'));
    expect(worker.delivered).toHaveLength(2);
    expect(worker.told.error[0]?.message).toContain('orders/0');
    worker.consumer.resume([at(0, 0)]);
    await eventually(() => worker.codes.length === 2);
    expect(worker.delivered).toHaveLength(2);
    await worker.consumer.seek(at(0, 4));
    await stage.untilCommitted(0, 5);
    expect(offsetsOf(worker.delivered, 0)).toEqual([0, 1, 4]);
  });

  test.for([
    { offsetReset: 'earliest' as const, delivered: [0, 1, 4, 5] },
    { offsetReset: 'latest' as const, delivered: [0, 1, 5] },
  ])(
    'because the records before it were trimmed is told, and $offsetReset says where to go on',
    async ({ offsetReset, delivered }, { stage, ioredis }) => {
      await stage.createTopic(1);
      await stage.send(0, values('v', 2));
      const worker = await stage.worker({ offsetReset: 'earliest' });
      await stage.untilCommitted(0, 2);
      await worker.close();
      const next = await stage.worker({ offsetReset });
      await next.untilOwns(0);
      const { log, state } = createKeys(stage.prefix).partition(TOPIC, 0);
      // Trimmed below what the group has not consumed, in one step with the next record.
      const batch = Buffer.from(encodeBatch([{ value: 'later', timestampMs: 0 }]));
      await ioredis
        .multi()
        .xadd(log, '0-5', 't', '1', 'b', batch)
        .xtrim(log, 'MINID', '0-5')
        .hset(state, { start: 4, end: 5 })
        .exec();
      await eventually(() => next.codes.length > 0);
      await next.untilOwns(0);
      expect(next.told.error).toMatchObject([{ code: 'OFFSET_OUT_OF_RANGE', details: { from: 2 } }]);
      expect(next.told.lost).toMatchObject([{ reason: 'log-changed' }]);
      await stage.send(0, values('w', 1));
      await stage.untilCommitted(0, 6);
      expect([...offsetsOf(worker.delivered, 0), ...offsetsOf(next.delivered, 0)]).toEqual(delivered);
      expect(next.told.logTruncated).toEqual([]);
      expect(next.told.recordsTrimmed).toMatchObject([{ from: 2, to: 4, lost: 2 }]);
    },
  );
});
