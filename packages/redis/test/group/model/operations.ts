/**
 * What can happen to a group, as numbers that a property test draws. They say "the third fence that was ever given
 * out", not which: that is known only when it happens. So old sessions, claims and fences come up as often as new ones.
 */
import type { DeposeReason, EvictionReason, OffsetReset } from '@millrace/core';
import fc from 'fast-check';

export const MEMBERS = ['a', 'b', 'c'] as const;
export const PARTITIONS = ['orders/0', 'orders/1'] as const;

export type MemberId = (typeof MEMBERS)[number];
export type Partition = (typeof PARTITIONS)[number];

export type Operation =
  | {
      readonly kind: 'join';
      readonly member: MemberId;
      readonly isNew: boolean;
      readonly capacity: number;
      readonly takeOver: 'none' | 'seen' | 'stale';
    }
  | { readonly kind: 'heartbeat' | 'leave'; readonly member: MemberId; readonly age: number }
  | {
      readonly kind: 'evict';
      readonly member: MemberId;
      readonly hasMoved: boolean;
      readonly leads: boolean;
      readonly reason: EvictionReason;
    }
  | {
      readonly kind: 'publish';
      readonly leads: boolean;
      readonly isCurrent: boolean;
      readonly target: MemberId;
    }
  | {
      readonly kind: 'update';
      readonly member: MemberId;
      readonly age: number;
      readonly capacity: number;
    }
  /** Followed by an election, so that somebody leads. */
  | { readonly kind: 'depose'; readonly isCurrent: boolean; readonly reason: DeposeReason }
  | { readonly kind: 'bump'; readonly leads: boolean; readonly isCurrent: boolean }
  /** Reads what members and leaders decide from. */
  | { readonly kind: 'look'; readonly member: MemberId }
  | {
      readonly kind: 'claim';
      readonly member: MemberId;
      readonly age: number;
      readonly partitions: readonly Partition[];
      readonly isCurrent: boolean;
      readonly raise: number;
    }
  | { readonly kind: 'unclaim'; readonly partition: Partition; readonly age: number }
  | {
      readonly kind: 'acquire';
      readonly partition: Partition;
      readonly age: number;
      readonly repeats: boolean;
      readonly reset: OffsetReset;
    }
  | {
      readonly kind: 'commit' | 'seek' | 'release';
      readonly partition: Partition;
      readonly age: number;
      readonly forged: 'no' | 'epoch' | 'nonce' | 'server';
      readonly offset: number;
    }
  /** The last seek once more, as an owner sends it that got no answer. */
  | { readonly kind: 'repeat-seek'; readonly partition: Partition }
  | { readonly kind: 'append'; readonly partition: Partition; readonly count: number }
  /** Trimming, and a failover of the partition's slot that loses the tail of its log but not the commits. */
  | {
      readonly kind: 'truncate';
      readonly partition: Partition;
      readonly start: number;
      readonly lost: number;
    }
  /** A failover of the group's slot that loses its last claims. */
  | { readonly kind: 'rollback'; readonly claims: number };

/** How long ago what is used was handed out: mostly the newest. */
const age = fc.constantFrom(0, 0, 0, 0, 1, 2);
const mostly = fc.constantFrom(true, true, true, true, true, false);
const rarely = mostly.map((is) => !is);
const member = fc.constantFrom(...MEMBERS);
const partition = fc.constantFrom(...PARTITIONS);

/** Kinds are drawn as often as they stand here. */
const ARBITRARIES: readonly fc.Arbitrary<Operation>[] = [
  ...times(4, {
    kind: fc.constant('join' as const),
    member,
    isNew: fc.boolean(),
    capacity: fc.constantFrom(1, 1, 2),
    takeOver: fc.constantFrom('none', 'seen', 'seen', 'stale'),
  }),
  ...times(3, { kind: fc.constantFrom('heartbeat', 'heartbeat', 'leave'), member, age: fc.nat(2) }),
  ...times(2, {
    kind: fc.constant('evict' as const),
    member,
    hasMoved: fc.boolean(),
    leads: fc.constantFrom(true, true, false),
    reason: fc.constantFrom<EvictionReason[]>('lease', 'presence'),
  }),
  ...times(3, { kind: fc.constant('publish' as const), leads: mostly, isCurrent: mostly, target: member }),
  ...times(1, { kind: fc.constant('update' as const), member, age, capacity: fc.constantFrom(1, 2, 3) }),
  ...times(1, {
    kind: fc.constant('depose' as const),
    isCurrent: mostly,
    reason: fc.constantFrom<DeposeReason[]>('resigned', 'gone', 'silent'),
  }),
  ...times(1, { kind: fc.constant('bump' as const), leads: mostly, isCurrent: mostly }),
  ...times(1, { kind: fc.constant('look' as const), member }),
  ...times(6, {
    kind: fc.constant('claim' as const),
    member,
    age,
    partitions: fc.subarray([...PARTITIONS]),
    isCurrent: mostly,
    raise: fc.constantFrom(0, 0, 0, 5),
  }),
  ...times(2, { kind: fc.constant('unclaim' as const), partition, age }),
  ...times(6, {
    kind: fc.constant('acquire' as const),
    partition,
    age: fc.nat(2),
    repeats: rarely,
    reset: fc.constantFrom<OffsetReset[]>('earliest', 'latest', 'fail'),
  }),
  ...times(10, {
    kind: fc.constantFrom('commit', 'commit', 'commit', 'seek', 'release'),
    partition,
    age,
    forged: fc.constantFrom('no', 'no', 'no', 'no', 'no', 'no', 'epoch', 'nonce', 'server'),
    offset: fc.nat(14),
  }),
  ...times(1, { kind: fc.constant('repeat-seek' as const), partition }),
  ...times(2, { kind: fc.constant('append' as const), partition, count: fc.integer({ min: 1, max: 5 }) }),
  ...times(2, { kind: fc.constant('truncate' as const), partition, start: fc.nat(8), lost: fc.nat(3) }),
  ...times(1, { kind: fc.constant('rollback' as const), claims: fc.integer({ min: 1, max: 2 }) }),
];

export const anyOperation: fc.Arbitrary<Operation> = fc.oneof(...ARBITRARIES);

function times<T extends Operation>(
  count: number,
  model: { [K in keyof T]: fc.Arbitrary<T[K]> },
): fc.Arbitrary<T>[] {
  return Array.from({ length: count }, () => fc.record<T>(model));
}
