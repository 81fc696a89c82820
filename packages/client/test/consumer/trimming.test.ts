/** Logs that are trimmed under a running group: by its leader, by limits, and never as if something was lost. */
import { eventually } from '@millrace/testkit';
import { describe, expect } from 'vitest';
import { test as pairTest } from '../failover-pair.ts';
import { at, GROUP, offsetsOf, Stage, test, TOPIC, values } from './consumer-fixture.ts';

type Limits = Parameters<Stage['millrace']['admin']['setTopicLimits']>[1];

async function createLimited(stage: Stage, limits: Limits): Promise<void> {
  await stage.millrace.admin.createTopic(TOPIC, { partitions: 1, limits });
}

async function logOf(stage: Stage): Promise<{ logStart: number; logEnd: number; bytes: number }> {
  const {
    logStart = -1,
    logEnd = -1,
    bytes = -1,
  } = (await stage.millrace.admin.describeTopic(TOPIC)).partitions[0] ?? {};
  return { logStart, logEnd, bytes };
}

async function untilTrimmed(stage: Stage, start: number): Promise<void> {
  await eventually(async () => (await logOf(stage)).logStart === start, {
    what: `a log that begins at ${start}`,
  });
}

// A leader comes back to a partition after a second at the earliest.
describe('the leader trims', { timeout: 60_000 }, () => {
  test('what all groups have committed, and leaves what one has not', async ({ stage }) => {
    await createLimited(stage, { trimCommittedAfterMs: 0 });
    const slow = await stage.worker({ group: 'slow' }, (delivery) => {
      if (delivery.record.offset === 3) delivery.pause();
    });
    const quick = await stage.worker();
    await Promise.all([slow.untilOwns(0), quick.untilOwns(0)]);
    await stage.send(0, values('v', 6));
    await stage.untilCommitted(0, 6);
    await eventually(async () => (await stage.committed(0, TOPIC, 'slow')) === 4);
    await untilTrimmed(stage, 4);
    slow.consumer.resume([at(0, 0)]);
    await untilTrimmed(stage, 6);
    expect(await logOf(stage)).toEqual({ logStart: 6, logEnd: 6, bytes: 0 });
    await stage.send(0, ['after']);
    await eventually(() => offsetsOf(slow.handled, 0).includes(6) && offsetsOf(quick.handled, 0).includes(6));
    expect([...slow.codes, ...quick.codes]).toEqual([]);
  });

  test('by limits that are set on a topic that is there', async ({ stage }) => {
    await stage.createTopic(1);
    const worker = await stage.worker();
    await worker.untilOwns(0);
    await stage.send(0, values('v', 3));
    await stage.untilCommitted(0, 3);
    await stage.millrace.admin.setTopicLimits(TOPIC, { trimCommittedAfterMs: 0 });
    await untilTrimmed(stage, 3);
    expect((await stage.millrace.admin.describeTopic(TOPIC)).limits).toEqual({ trimCommittedAfterMs: 0 });
  });
});

describe('at a limit', { timeout: 60_000 }, () => {
  test('that refuses, a producer waits until the group has made room', async ({ stage }) => {
    await createLimited(stage, { maxRecords: 3, trimCommittedAfterMs: 'never' });
    await stage.send(0, values('v', 3));
    await using client = await stage.client();
    const producer = client.producer();
    const waiting = producer.send(TOPIC, { partition: 0, value: 'late' });
    await eventually(async () => (await logOf(stage)).logEnd === 3);
    await stage.millrace.admin.setTopicLimits(TOPIC, { maxRecords: 3 });
    const worker = await stage.worker();
    // An hour is the default: here the room is needed.
    expect(await waiting).toMatchObject({ offset: 3 });
    await worker.untilHandled(4);
    expect(worker.codes).toEqual([]);
  });

  test('that refuses, it fails in the end, and says so', async ({ stage }) => {
    await createLimited(stage, { maxRecords: 2, maxBytes: 1_000 });
    await stage.send(0, values('v', 2));
    await using client = await stage.client();
    const producer = client.producer({ deliveryTimeoutMs: 200 });
    await expect(producer.send(TOPIC, { partition: 0, value: 'late' })).rejects.toMatchObject({
      name: 'UnavailableError',
      code: 'TOPIC_FULL',
      retryable: true,
      message: expect.stringContaining('2 of at most 2 records'),
      details: { keptRecords: 2, maxRecords: 2, maxBytes: 1_000, outcome: 'not-written' },
    });
    expect(await logOf(stage)).toMatchObject({ logStart: 0, logEnd: 2 });
  });

  test('that trims, who was overtaken is given what it had fetched, and told of the rest', async ({
    stage,
  }) => {
    await createLimited(stage, { maxRecords: 4, onFull: 'trim' });
    const worker = await stage.worker({}, (delivery) => {
      if (delivery.record.offset === 0) delivery.pause();
    });
    await worker.untilOwns(0);
    await stage.sendBatch(0, values('v', 3));
    await worker.untilHandled(1);
    // It is paused at 1. Of two more batches that fill the log each, only the last is kept.
    await stage.sendBatch(0, values('w', 4));
    await stage.sendBatch(0, values('x', 4));
    expect(await logOf(stage)).toMatchObject({ logStart: 7, logEnd: 11 });
    worker.consumer.resume([at(0, 0)]);
    await stage.untilCommitted(0, 11);
    const told = worker.told.recordsTrimmed;
    const delivered = offsetsOf(worker.delivered, 0);
    const lost = told.reduce((sum, event) => sum + event.lost, 0);
    // Whatever a read had brought before it was trimmed is delivered; the rest is told, to the record.
    expect(delivered.length + lost).toBe(11);
    expect(delivered).toEqual([...new Set(delivered)].sort((a, b) => a - b));
    expect(delivered.slice(0, 3)).toEqual([0, 1, 2]);
    expect(told.map(({ to, next }) => ({ to, next }))).toEqual(told.map(() => ({ to: 7, next: 7 })));
    expect(worker.told.logTruncated).toEqual([]);
  });

  test('of age, a group that was away is told what it missed', async ({ stage }) => {
    await createLimited(stage, { trimCommittedAfterMs: 'never' });
    const before = await stage.worker({}, (delivery) => {
      if (delivery.record.offset === 0) delivery.pause();
    });
    await stage.send(0, values('v', 5));
    await stage.untilCommitted(0, 1);
    await before.close();
    const { admin } = stage.millrace;
    await admin.setTopicLimits(TOPIC, { maxAgeMs: 1 });
    const after = await stage.worker({ group: 'other' });
    await after.untilHandled(5);
    // The newest batch stays: the group that was away has not committed it.
    await untilTrimmed(stage, 4);
    const back = await stage.worker();
    await back.untilHandled(1);
    expect(offsetsOf(back.handled, 0)).toEqual([4]);
    expect(back.told.recordsTrimmed).toEqual([
      { group: GROUP, topic: TOPIC, partition: 0, from: 1, to: 4, lost: 3, next: 4 },
    ]);
    expect(back.codes).toEqual(['OFFSET_OUT_OF_RANGE']);
  });
});

pairTest('what was trimmed is not told as lost after a failover', { timeout: 60_000 }, async ({ pair }) => {
  const stage = await Stage.open({ url: pair.url, prefix: 'pair' });
  await createLimited(stage, { trimCommittedAfterMs: 0 });
  const worker = await stage.worker();
  await worker.untilOwns(0);
  const told: unknown[] = [];
  const producer = (await stage.client()).producer();
  producer.on('logTruncated', (event) => told.push(event));
  for (const value of values('v', 10)) await producer.send(TOPIC, { partition: 0, value });
  await stage.untilCommitted(0, 10);
  await untilTrimmed(stage, 10);
  await pair.cutLink();
  pair.failOver();
  await eventually(() => worker.told.lost.some(({ reason }) => reason === 'server-changed'));
  expect(await producer.send(TOPIC, { partition: 0, value: 'after' })).toMatchObject({ offset: 10 });
  await eventually(() => offsetsOf(worker.handled, 0).includes(10));
  expect(offsetsOf(worker.delivered, 0)).toEqual(Array.from({ length: 11 }, (_, offset) => offset));
  expect([...worker.told.logTruncated, ...worker.told.recordsTrimmed, ...told]).toEqual([]);
  await stage.close();
});
