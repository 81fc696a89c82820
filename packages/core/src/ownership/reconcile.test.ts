import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PartitionKey } from '../names.ts';
import { reconcile } from './reconcile.ts';

const keys = (...partitions: readonly number[]): PartitionKey[] =>
  partitions.map((n): PartitionKey => `t/${n}`);

/** Member-side transitions of incremental rebalancing (KIP-848, reconciliation of a member), in our terms. */
test.each([
  { what: 'stays with what stays', owned: [1, 2], busy: [], target: [1, 2], revoke: [], claim: [] },
  { what: 'claims what is new', owned: [1], busy: [], target: [1, 2, 3], revoke: [], claim: [2, 3] },
  { what: 'revokes what is gone', owned: [1, 2, 3], busy: [], target: [2], revoke: [1, 3], claim: [] },
  {
    what: 'swaps one for another at once, the rest runs on',
    owned: [1, 2],
    busy: [],
    target: [2, 3],
    revoke: [1],
    claim: [3],
  },
  {
    what: 'gives everything up for an empty target',
    owned: [1, 2],
    busy: [],
    target: [],
    revoke: [1, 2],
    claim: [],
  },
  { what: 'begins from nothing', owned: [], busy: [], target: [1, 2], revoke: [], claim: [1, 2] },
  { what: 'does nothing about nothing', owned: [], busy: [], target: [], revoke: [], claim: [] },
  {
    what: 'leaves alone what is being drained, wanted again or not',
    owned: [3],
    busy: [1, 2],
    target: [1, 3],
    revoke: [],
    claim: [],
  },
  {
    what: 'revokes more while an earlier drain goes on',
    owned: [2, 3],
    busy: [1],
    target: [3],
    revoke: [2],
    claim: [],
  },
  {
    what: 'revokes a second time what came back meanwhile',
    owned: [1],
    busy: [],
    target: [],
    revoke: [1],
    claim: [],
  },
])('a member $what', ({ owned, busy, target, revoke, claim }) => {
  const decision = reconcile(new Set(keys(...owned)), new Set(keys(...busy)), keys(...target));
  expect(decision).toEqual({ revoke: keys(...revoke), claim: keys(...claim) });
});

test('a target that names a partition twice claims it once', () => {
  expect(reconcile(new Set(), new Set(), keys(1, 1)).claim).toEqual(keys(1));
});

test('what is decided brings the member to its target and touches nothing else', () => {
  const anySet = fc.uniqueArray(fc.nat(12), { maxLength: 10 });
  fc.assert(
    fc.property(anySet, anySet, anySet, (running, draining, wanted) => {
      const owned = new Set(keys(...running));
      const busy = new Set(keys(...draining.filter((n) => !running.includes(n))));
      const target = new Set(keys(...wanted));
      const { revoke, claim } = reconcile(owned, busy, target);

      expect(new Set([...[...owned].filter((key) => !revoke.includes(key)), ...claim])).toEqual(
        new Set([...target].filter((key) => !busy.has(key))),
      );
      expect(revoke.every((key) => owned.has(key) && !target.has(key))).toBe(true);
      expect(claim.some((key) => owned.has(key) || busy.has(key))).toBe(false);
    }),
  );
});
