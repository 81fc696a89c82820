import { describe, expect } from 'vitest';
import { eventually } from '@millrace/testkit';
import { createKeys } from '@millrace/redis';
import type { OwnedPartition } from '../../src/index.ts';
import { GROUP, test, TOPIC, values } from './consumer-fixture.ts';

const numbers = (partitions: readonly OwnedPartition[]): number[] =>
  partitions.map(({ partition }) => partition).sort((a, b) => a - b);

describe('events', () => {
  test('assigned comes before the first record, with where it begins and why', async ({ stage }) => {
    await stage.createTopic(2);
    await stage.send(0, values('v', 2));
    const order: string[] = [];
    const member = await stage.member();
    member.consumer.on('assigned', ({ partitions }) => order.push(`assigned ${numbers(partitions).join()}`));
    await member.work(({ record }) => void order.push(`record ${record.offset}`));
    await member.untilHandled(2);
    expect(order).toEqual(['assigned 0,1', 'record 0', 'record 1']);
    const [assigned] = member.told.assigned;
    expect(assigned?.partitions.map(({ topic, offset }) => [topic, offset])).toEqual([
      [TOPIC, 0],
      [TOPIC, 0],
    ]);
    expect(assigned?.reason).toBe(`generation ${assigned?.generation}`);
    await eventually(() => member.told.rebalanced.length === 1);
    const { generation } = assigned ?? { generation: NaN };
    expect(member.told.rebalanced).toEqual([{ generation, assigned: 2, revoked: 0, owned: 2 }]);
  });

  test('revoked comes after the commit and before the heir; what stays is not touched', async ({ stage }) => {
    await stage.createTopic(4);
    for (const partition of [0, 1, 2, 3]) await stage.send(partition, values('v', 3));
    const first = await stage.worker({ autoCommitIntervalMs: 60_000 });
    await first.untilHandled(12);
    const epochs = new Map(first.consumer.assignment().map(({ partition, epoch }) => [partition, epoch]));
    const order: string[] = [];
    first.consumer.on('revoked', ({ partitions }) => {
      for (const partition of numbers(partitions)) order.push(`revoked ${partition}`);
    });
    const second = await stage.member();
    second.consumer.on('assigned', ({ partitions }) => {
      for (const { partition, offset } of partitions) order.push(`assigned ${partition} at ${offset}`);
    });
    await second.work();
    await eventually(() => second.owned.length === 2);
    for (const partition of second.owned) {
      const revoked = order.indexOf(`revoked ${partition}`);
      expect(revoked).toBeGreaterThanOrEqual(0);
      expect(order.indexOf(`assigned ${partition} at 3`)).toBeGreaterThan(revoked);
    }
    expect(numbers(first.told.revoked.flatMap(({ partitions }) => partitions))).toEqual(second.owned);
    expect(first.told.revoked[0]?.reason).toMatch(
      /^not assigned to this member any more, since generation \d+$/,
    );
    for (const { partition, epoch } of first.consumer.assignment()) expect(epoch).toBe(epochs.get(partition));
    for (const { partition, epoch } of second.consumer.assignment())
      expect(epoch).toBeGreaterThan(epochs.get(partition) ?? NaN);
    await eventually(() => first.told.rebalanced.length === 2);
    expect(first.told.rebalanced[1]).toMatchObject({ assigned: 0, revoked: 2, owned: 2 });

    await second.close();
    expect(second.told.revoked).toMatchObject([{ reason: 'the consumer is closing' }]);
    await first.untilOwns(0, 1, 2, 3);
    expect(first.told.lost).toEqual([]);
    expect(second.told.lost).toEqual([]);
  });

  test('lost says that the member was evicted; it joins again and goes on', async ({ stage, ioredis }) => {
    await stage.createTopic(2);
    await stage.send(0, values('v', 2));
    const worker = await stage.worker({ leaseMs: 3_000 });
    await stage.untilCommitted(0, 2);
    const { memberId } = worker.consumer;
    const keys = createKeys(stage.prefix).group(GROUP);
    // Unnoticed by the leader, which it is itself: else it would be told to give its partitions up, in order.
    await ioredis.hdel(keys.members, memberId);
    await eventually(() => worker.told.lost.length === 1);
    expect(worker.told.lost).toMatchObject([{ reason: 'evicted', commitRefused: false }]);
    expect(numbers(worker.told.lost[0]?.partitions ?? [])).toEqual([0, 1]);
    await worker.untilOwns(0, 1);
    expect(worker.consumer.memberId).not.toBe(memberId);
    await stage.send(0, ['next']);
    await worker.untilHandled(3);
    expect(worker.delivered.map(({ offset }) => offset)).toEqual([0, 1, 2]);
  });

  test('a listener that throws harms nobody, and one that was taken off is not called', async ({ stage }) => {
    await stage.createTopic(1);
    const { consumer } = await stage.member();
    const calls: string[] = [];
    const removed = (): void => void calls.push('removed');
    consumer
      .on('assigned', () => {
        calls.push('throws');
        throw new Error('listener');
      })
      .on('assigned', removed)
      .on('assigned', () => calls.push('second'))
      .off('assigned', removed);
    await consumer.run({ eachRecord: () => void calls.push('record') });
    await stage.send(0, ['a']);
    await stage.untilCommitted(0, 1);
    expect(calls).toEqual(['throws', 'second', 'record']);
  });
});
