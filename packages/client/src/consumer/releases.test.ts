/** What is taken out of the group's slot, whenever it is added. On virtual time, with the one call that matters. */
import type { GroupStore, PartitionKey, PartitionStore } from '@millrace/core';
import { partitionKey } from '@millrace/core';
import { VirtualClock } from '@millrace/testkit';
import { describe, expect, test } from 'vitest';
import { ConsumerEmitter } from './consumer-events.ts';
import { Releases } from './releases.ts';

const first = partitionKey('orders', 1);
const second = partitionKey('orders', 2);

function releasesThat(unclaim: GroupStore['unclaim'], clock = new VirtualClock()) {
  const failures: unknown[] = [];
  const releases = new Releases(
    {
      clock,
      group: { unclaim } as GroupStore,
      partitions: {} as PartitionStore,
      emitter: new ConsumerEmitter(() => {}),
      identity: () => ({ memberId: 'a', session: 's' }),
      onUnclaimed: () => {},
      onTransportFailure: (error) => failures.push(error),
    },
    1_000,
  );
  return { releases, failures };
}

/** Lets everything run that waits for nothing but promises. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}

describe('unclaim', () => {
  test('what is added while the last call comes back is taken out too', async () => {
    // The gap was a few microtasks wide, so every place in it is tried.
    for (let turns = 0; turns < 20; turns++) {
      const unclaimed: PartitionKey[] = [];
      const { releases } = releasesThat(async (_memberId, claims) => {
        unclaimed.push(...claims.keys());
        await Promise.resolve();
      });
      releases.unclaim(first, 7);
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      releases.unclaim(second, 7);
      await settle();
      expect(unclaimed, `added after ${turns} turns`).toEqual([first, second]);
    }
  });

  test('what is released at one moment goes together', async () => {
    const calls: PartitionKey[][] = [];
    const { releases } = releasesThat(async (_memberId, claims) => {
      calls.push([...claims.keys()]);
      await Promise.resolve();
    });
    releases.unclaim(first, 7);
    releases.unclaim(second, 7);
    await releases.settled();
    expect(calls).toEqual([[first, second]]);
  });

  test('a call that failed is made again, with what came meanwhile', async () => {
    const clock = new VirtualClock();
    const calls: [PartitionKey, number][][] = [];
    const { releases, failures } = releasesThat(async (_memberId, claims) => {
      calls.push([...claims]);
      await Promise.resolve();
      if (calls.length === 1) throw new Error('the connection broke');
    }, clock);
    releases.unclaim(first, 7);
    releases.unclaim(second, 7);
    await settle();
    releases.unclaim(first, 9);
    await clock.advance(1_000);
    await settle();
    expect(failures).toHaveLength(1);
    expect(calls[0]).toEqual([
      [first, 7],
      [second, 7],
    ]);
    expect(new Map(calls.slice(1).flat())).toEqual(
      new Map([
        [first, 9],
        [second, 7],
      ]),
    );
  });
});
