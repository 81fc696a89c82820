import { DataError, type PartitionStore } from '@millrace/core';
import { VirtualClock } from '@millrace/testkit';
import { expect, test } from 'vitest';
import { Lane } from './lane.ts';

const HOLE = new DataError('OFFSET_OUT_OF_RANGE', 'offset 3 is not in the log any more');

/** Stands at offset 3 of a log that `logStart` looks at. */
function laneThat(logStart: (lane: Lane) => number) {
  const told: unknown[] = [];
  const partitions: Pick<PartitionStore, 'fingerprints'> = {
    fingerprints: async () => {
      await Promise.resolve();
      return { logStart: logStart(lane), logEnd: 100, fingerprints: [] } as never;
    },
  };
  const lane = new Lane(
    {
      clock: new VirtualClock(),
      partitions: partitions as PartitionStore,
      onLost: (_lane, reason) => told.push(reason),
      onError: (error) => told.push(error),
      onTransportFailure: (error) => told.push(error),
      onWantsFetch: () => {},
      onBuffered: () => {},
      onReadChange: () => {},
    },
    { autoCommit: true, autoCommitIntervalMs: 1_000, maxBufferedBytes: 1_024 },
    {
      fence: { group: 'g', topic: 'orders', partition: 0, epoch: 1, nonce: 'n', server: 's' },
      claim: 1,
      committed: 3,
      logEnd: 100,
      incarnation: 'i',
      trail: { batches: { end: 0, add: () => {} }, delivered: 0 } as never,
    },
  );
  return { lane, told };
}

test.for([
  ['a hole', 0],
  ['a trimmed log', 50],
] as const)('what was wrong where it was sought away from counts for nothing: %s', async ([, start]) => {
  const { lane, told } = laneThat((sought) => {
    sought.restartAt(60, 'next');
    return start;
  });
  await lane.onUnreadable(HOLE);
  expect(told).toEqual([]);
  expect(lane).toMatchObject({ mayDeliver: true, wantsFetch: true, position: 60 });
});

test('a hole where it stands halts it', async () => {
  const { lane, told } = laneThat(() => 0);
  await lane.onUnreadable(HOLE);
  expect(told).toEqual([HOLE]);
  expect(lane.mayDeliver).toBe(false);
});

test('nothing is read ahead for it while it is paused', () => {
  const { lane } = laneThat(() => 0);
  lane.pause();
  expect(lane.wantsFetch).toBe(false);
  lane.resume();
  expect(lane.wantsFetch).toBe(true);
});
