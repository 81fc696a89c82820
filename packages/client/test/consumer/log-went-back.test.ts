/** A failover that loses the end of the log: what was delivered and is gone is told, and nothing else is skipped. */
import { eventually } from '@millrace/testkit';
import { describe, expect } from 'vitest';
import { connect } from '../../src/index.ts';
import { test, type FailoverPair } from '../failover-pair.ts';
import { at, GROUP, offsetsOf, Stage, TOPIC, values, type Member } from './consumer-fixture.ts';

const told = { group: GROUP, topic: TOPIC, partition: 0, policy: 'resume' };

/** Ten records that both servers have, and ten that only the first one got; a worker that has done them all. */
async function begin(pair: FailoverPair, options: Parameters<Stage['worker']>[0] = {}) {
  const stage = await Stage.open({ url: pair.url, prefix: 'pair' });
  await stage.createTopic(1);
  await stage.sendBatch(0, values('kept', 10));
  const worker = await stage.worker(options);
  await stage.untilCommitted(0, 10);
  await pair.cutLink();
  await stage.send(0, values('lost', 10));
  await stage.untilCommitted(0, 20);
  return { stage, worker };
}

/** What others have written at the second server before this client came there. */
async function write(pair: FailoverPair, count: number): Promise<void> {
  await using client = await connect({ url: pair.secondUrl, prefix: 'pair', logger: false });
  await client.producer().sendBatch(
    TOPIC,
    values('new', count).map((value) => ({ partition: 0, value })),
  );
}

/** Whatever was lost in between, from offset 10 on everything that the log holds was delivered in the end. */
async function expectAllNew(worker: Member, count: number): Promise<void> {
  const isNew = ({ value }: { value: string | null }): boolean => value?.startsWith('new') ?? false;
  await eventually(() => worker.handled.filter(isNew).length >= count, { what: 'the new records handled' });
  const delivered = worker.delivered.filter(isNew);
  expect(offsetsOf(delivered, 0)).toEqual(Array.from({ length: count }, (_, index) => 10 + index));
  expect(delivered.map(({ value }) => value)).toEqual(values('new', count));
}

describe('a consumer whose records are gone', () => {
  test('is told when the log is shorter, though nobody sends', async ({ pair }) => {
    const { stage, worker } = await begin(pair);
    pair.failOver();
    await eventually(() => worker.told.logTruncated.length > 0, { what: 'a report' });
    expect(worker.told.logTruncated).toEqual([{ ...told, from: 10, to: 20, committed: 10 }]);
    expect(worker.told.error.find(({ code }) => code === 'LOG_TRUNCATED')).toMatchObject({
      details: { ...told, from: 10, to: 20, committed: 10 },
    });
    expect(worker.told.lost.map(({ reason }) => reason)).toEqual(['server-changed']);
    await write(pair, 15);
    await expectAllNew(worker, 15);
    expect(worker.told.logTruncated).toHaveLength(1);
    await stage.close();
  });

  test('is told when other records stand in their place, as many and more', async ({ pair }) => {
    const { stage, worker } = await begin(pair);
    await write(pair, 25);
    pair.failOver();
    await expectAllNew(worker, 25);
    expect(worker.told.logTruncated).toEqual([{ ...told, from: 10, to: 20, committed: 10 }]);
    await stage.untilCommitted(0, 35);
    await stage.close();
  });

  test('waits where its policy says so, until somebody resumes it', async ({ pair }) => {
    const { stage, worker } = await begin(pair, { onLogTruncated: 'fail' });
    await write(pair, 5);
    pair.failOver();
    await eventually(() => worker.told.logTruncated.length > 0, { what: 'a report' });
    expect(worker.told.logTruncated).toMatchObject([{ from: 10, to: 20, committed: 10, policy: 'fail' }]);
    await worker.untilOwns(0);
    const before = worker.delivered.length;
    await write(pair, 1);
    // Through a connection that may still be on its way to the new primary.
    await eventually(async () => expect(await stage.committed(0)).toBe(10));
    expect(worker.delivered).toHaveLength(before);
    worker.consumer.resume([at(0, 0)]);
    await stage.untilCommitted(0, 16);
    expect(offsetsOf(worker.delivered.slice(before), 0)).toEqual([10, 11, 12, 13, 14, 15]);
    await stage.close();
  });

  test('is told of what others own by now, too, and they are not', async ({ pair }) => {
    const stage = await Stage.open({ url: pair.url, prefix: 'pair' });
    await stage.createTopic(2);
    const worker = await stage.worker();
    await worker.untilOwns(0, 1);
    await pair.cutLink();
    for (const partition of [0, 1]) await stage.send(partition, values('lost', 3));
    await worker.untilHandled(6);
    for (const partition of [0, 1]) await stage.untilCommitted(partition, 3);
    pair.proxy.apply({ kind: 'reset' });
    pair.retarget();
    // The second server knows of no member but this one: it begins with both partitions, and gives one of them away.
    await using other = await connect({ url: pair.secondUrl, prefix: 'pair', logger: false });
    const heir = other.consumer({ group: GROUP, topics: [TOPIC] });
    await heir.run({ eachRecord: () => {} });
    pair.proxy.healAll();
    await eventually(() => worker.told.logTruncated.length === 2, { what: 'two reports' });
    await eventually(() => worker.owned.length === 1 && heir.assignment().length === 1);
    const [owned] = worker.owned;
    expect(worker.told.logTruncated.toSorted((a, b) => a.partition - b.partition)).toMatchObject(
      [0, 1].map((partition) => ({ partition, from: 0, to: 3 })),
    );
    expect(worker.told.logTruncated.find(({ partition }) => partition === owned)).toBeDefined();
    await heir.close();
    // The stage's own client tries again more and more rarely.
    await eventually(() => stage.committed(0).then(() => true));
    await stage.close();
  });

  test('commits nothing, and is delivered nothing, while its connections lead to different servers', async ({
    pair,
  }) => {
    const { stage, worker } = await begin(pair);
    await write(pair, 25);
    pair.retarget();
    // The reader alone comes to the new server, and finds a log that goes on at its position: other records.
    pair.proxy.reset({ select: ({ clientName }) => clientName?.endsWith(':reader') ?? false });
    await eventually(() => worker.told.lost.length > 0, { what: 'the partition lost' });
    expect(worker.told.lost[0]).toMatchObject({ reason: 'server-changed' });
    expect(worker.delivered.filter(({ value }) => value?.startsWith('new'))).toEqual([]);
    pair.failOver();
    await expectAllNew(worker, 25);
    expect(worker.told.logTruncated).toMatchObject([{ from: 10, to: 20, committed: 10 }]);
    await stage.close();
  });

  test('goes on although its reader was left behind at the former primary', async ({ pair }) => {
    const { stage, worker } = await begin(pair);
    await write(pair, 25);
    pair.retarget();
    pair.proxy.reset({ select: ({ clientName }) => !(clientName?.endsWith(':reader') ?? false) });
    await expectAllNew(worker, 25);
    expect(worker.told.logTruncated).toEqual([{ ...told, from: 10, to: 20, committed: 10 }]);
    await stage.close();
  });
});

test('a failover that lost nothing is no report, and repeats what was not committed', async ({ pair }) => {
  const stage = await Stage.open({ url: pair.url, prefix: 'pair' });
  await stage.createTopic(1);
  await stage.sendBatch(0, values('kept', 10));
  const worker = await stage.worker({ autoCommit: false });
  await worker.untilHandled(10);
  await pair.cutLink();
  pair.failOver();
  await worker.untilHandled(20);
  expect(offsetsOf(worker.delivered, 0)).toEqual([...Array(10).keys(), ...Array(10).keys()]);
  expect(worker.told.logTruncated).toEqual([]);
  expect(worker.told.lost.map(({ reason }) => reason)).toEqual(['server-changed']);
  await stage.close();
});
