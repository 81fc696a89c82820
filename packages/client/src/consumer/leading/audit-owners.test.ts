import {
  assignmentFromMembers,
  type Claim,
  type GroupSnapshot,
  type MemberDescription,
  type PartitionKey,
} from '@millrace/core';
import { describe, expect, test } from 'vitest';
import { auditOwners, type OwnerAudit, type Overdue } from './audit-owners.ts';

const TIMEOUT_MS = 1000;
const ASSIGNMENT = assignmentFromMembers([
  ['a', new Map([['orders', [0, 1]]])],
  ['b', new Map([['orders', [2]]])],
]);

type Owners = Record<PartitionKey, Claim>;

const SETTLED: Owners = {
  'orders/0': { memberId: 'a', claim: 1 },
  'orders/1': { memberId: 'a', claim: 2 },
  'orders/2': { memberId: 'b', claim: 3 },
};

/** Audits again and again, as the leader does, in a group of `a` and `b`. */
function auditor(memberIds: readonly string[] = ['a', 'b']) {
  let audit: OwnerAudit = { since: new Map() };
  return (nowMs: number, owners: Owners, assignment = ASSIGNMENT): readonly Overdue[] => {
    const snapshot: Pick<GroupSnapshot, 'members' | 'owners'> = {
      members: new Map(memberIds.map((memberId) => [memberId, {} as MemberDescription])),
      owners: new Map(Object.entries(owners) as [PartitionKey, Claim][]),
    };
    const found = auditOwners(audit, assignment, snapshot as GroupSnapshot, nowMs, TIMEOUT_MS);
    audit = found.audit;
    return found.overdue;
  };
}

const without = (partition: PartitionKey): Owners =>
  Object.fromEntries(Object.entries(SETTLED).filter(([key]) => key !== partition));

test('a group that owns what it is assigned is never reported', () => {
  const audit = auditor();
  expect(audit(0, SETTLED)).toEqual([]);
  expect(audit(100 * TIMEOUT_MS, SETTLED)).toEqual([]);
});

describe('a partition is reported', () => {
  test('when nobody has owned it for the timeout, and not a moment earlier', () => {
    const audit = auditor();
    expect(audit(500, without('orders/1'))).toEqual([]);
    expect(audit(500 + TIMEOUT_MS - 1, without('orders/1'))).toEqual([]);
    expect(audit(500 + TIMEOUT_MS, without('orders/1'))).toEqual([
      { partition: 'orders/1', target: 'a', holder: null },
    ]);
  });

  test('when another living member has not let go of it', () => {
    const audit = auditor();
    const held = { ...SETTLED, 'orders/2': { memberId: 'a', claim: 9 } } as const;
    audit(0, held);
    expect(audit(TIMEOUT_MS, held)).toEqual([
      { partition: 'orders/2', target: 'b', holder: { memberId: 'a', claim: 9 } },
    ]);
  });

  test('as owned by nobody when its owner is dead', () => {
    const audit = auditor(['a', 'b']);
    const dead = { ...SETTLED, 'orders/2': { memberId: 'gone', claim: 9 } } as const;
    audit(0, dead);
    expect(audit(TIMEOUT_MS, dead)).toEqual([{ partition: 'orders/2', target: 'b', holder: null }]);
  });

  test('once a timeout, not at every look', () => {
    const audit = auditor();
    audit(0, without('orders/0'));
    expect(audit(TIMEOUT_MS, without('orders/0'))).toHaveLength(1);
    expect(audit(TIMEOUT_MS + 1, without('orders/0'))).toHaveLength(0);
    expect(audit(2 * TIMEOUT_MS - 1, without('orders/0'))).toHaveLength(0);
    expect(audit(2 * TIMEOUT_MS, without('orders/0'))).toHaveLength(1);
  });
});

describe('the time starts over', () => {
  test('when the partition was owned in between', () => {
    const audit = auditor();
    audit(0, without('orders/0'));
    audit(TIMEOUT_MS - 1, SETTLED);
    expect(audit(TIMEOUT_MS, without('orders/0'))).toEqual([]);
    expect(audit(2 * TIMEOUT_MS - 1, without('orders/0'))).toEqual([]);
  });

  test('when another member holds it, or the same one by another claim', () => {
    const audit = auditor();
    audit(0, { ...SETTLED, 'orders/2': { memberId: 'a', claim: 9 } });
    audit(600, { ...SETTLED, 'orders/2': { memberId: 'a', claim: 10 } });
    expect(audit(TIMEOUT_MS, { ...SETTLED, 'orders/2': { memberId: 'a', claim: 10 } })).toEqual([]);
    expect(audit(600 + TIMEOUT_MS, { ...SETTLED, 'orders/2': { memberId: 'a', claim: 10 } })).toHaveLength(1);
  });

  test('when it is assigned to somebody else', () => {
    const audit = auditor();
    audit(0, without('orders/1'));
    const moved = assignmentFromMembers([
      ['a', new Map([['orders', [0]]])],
      ['b', new Map([['orders', [1, 2]]])],
    ]);
    expect(audit(TIMEOUT_MS, without('orders/1'), moved)).toEqual([]);
    expect(audit(2 * TIMEOUT_MS, without('orders/1'), moved)).toEqual([
      { partition: 'orders/1', target: 'b', holder: null },
    ]);
  });
});

test('a partition that is assigned to nobody is nobody’s fault', () => {
  const unassigned = { memberIds: ['a', 'b'], owners: new Map([['orders', Int32Array.of(-1, -1, -1)]]) };
  const audit = auditor();
  audit(0, without('orders/1'), unassigned);
  expect(audit(TIMEOUT_MS, without('orders/1'), unassigned)).toEqual([]);
});
