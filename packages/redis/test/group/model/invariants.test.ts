/** Each invariant on a hand-made step that breaks it, and on its nearest neighbour that does not. */
import type { AcquireResult, Claim, Fence, PartitionKey } from '@millrace/core';
import { describe, expect, test } from 'vitest';
import { memberOf } from '../group-fixture.ts';
import { violations, type Happening, type World } from './invariants.ts';
import type { StoredOwnership } from './partition-model.ts';

const FENCE: Fence = {
  topic: 'orders',
  partition: 0,
  group: 'billing',
  epoch: 100,
  nonce: 'n1',
  server: 's1',
};

const OWNED: StoredOwnership = {
  claim: 1,
  epoch: 100,
  committed: 5,
  fingerprint: 'f',
  resetFrom: null,
  owner: 'a',
  nonce: 'n1',
};

interface Given {
  readonly stored?: StoredOwnership | null;
  readonly logEnd?: number;
  readonly owner?: Claim;
  readonly members?: readonly string[];
  readonly generation?: number;
}

function world({
  stored = OWNED,
  logEnd = 10,
  owner,
  members = ['a', 'b'],
  generation = 3,
}: Given = {}): World {
  return {
    group: {
      generation,
      assignmentGeneration: 3,
      leader: { memberId: 'leader', epoch: 1 },
      deputies: [],
      members: new Map(members.map((memberId) => [memberId, memberOf(memberId)])),
      beats: new Map(),
      owners: new Map<PartitionKey, Claim>(owner === undefined ? [] : [['orders/0', owner]]),
    },
    partitions: new Map([
      ['orders/0', { logEnd, stored }],
      ['orders/1', { logEnd: 0, stored: null }],
    ]),
  };
}

const COMMIT: Happening = {
  operation: { kind: 'commit', partition: 'orders/0', age: 0, forged: 'no', offset: 6 },
  fence: FENCE,
  handedOut: [FENCE],
  status: 'COMMITTED',
  acquired: null,
};

const SEEK: Happening = {
  ...COMMIT,
  operation: { kind: 'seek', partition: 'orders/0', age: 0, forged: 'no', offset: 5 },
  status: 'SOUGHT',
};

function acquiring(reset: { from: number | null } | null): Happening {
  const acquired = { status: 'ACQUIRED', reset } as AcquireResult;
  const operation = {
    kind: 'acquire',
    partition: 'orders/0',
    age: 0,
    repeats: false,
    reset: 'earliest',
  } as const;
  return { operation, fence: null, handedOut: [FENCE], status: 'ACQUIRED', acquired };
}

const forward = world({ stored: { ...OWNED, committed: 6 } });

describe('nothing is wrong with', () => {
  test.each<[string, World, World, Happening]>([
    ['a commit of the owner', world(), forward, COMMIT],
    [
      'a refused commit that changes nothing',
      world(),
      world(),
      { ...COMMIT, fence: { ...FENCE, epoch: 99 }, status: 'FENCED' },
    ],
    ['a seek back', forward, world({ stored: { ...OWNED, nonce: 'n2' } }), SEEK],
    [
      'a seek that was executed before',
      world({ stored: { ...OWNED, nonce: 'n2' } }),
      world({ stored: { ...OWNED, nonce: 'n2' } }),
      { ...SEEK, operation: { kind: 'repeat-seek', partition: 'orders/0' } },
    ],
    [
      'a reset that goes back, where it is told',
      forward,
      world({ stored: { ...OWNED, epoch: 101, nonce: 'n2' } }),
      acquiring({ from: 6 }),
    ],
    [
      'an heir with a new epoch',
      world(),
      world({ stored: { ...OWNED, epoch: 101, nonce: 'n2' } }),
      acquiring(null),
    ],
    [
      'a release',
      world(),
      world({ stored: { ...OWNED, owner: null, nonce: null } }),
      { ...COMMIT, status: 'RELEASED' },
    ],
    [
      'the claim of a dead member’s partition',
      world({ owner: { memberId: 'dead', claim: 4 } }),
      world({ owner: { memberId: 'b', claim: 5 } }),
      COMMIT,
    ],
    [
      'the same member’s claim once more',
      world({ owner: { memberId: 'a', claim: 4 } }),
      world({ owner: { memberId: 'a', claim: 5 } }),
      COMMIT,
    ],
    [
      'a log that lost its tail behind a commit',
      world(),
      world({ logEnd: 3 }),
      {
        ...COMMIT,
        operation: { kind: 'truncate', partition: 'orders/0', start: 0, lost: 7 },
        fence: null,
        status: 'DONE',
      },
    ],
  ])('%s', (_what, before, after, happening) => {
    expect(violations(before, after, happening)).toEqual([]);
  });
});

describe('broken is', () => {
  test.each<[string, World, World, Happening]>([
    [
      'I1: orders/0 was given away under a',
      world({ owner: { memberId: 'a', claim: 4 } }),
      world({ owner: { memberId: 'b', claim: 5 } }),
      COMMIT,
    ],
    [
      'I1: the claim of orders/0 did not rise',
      world({ owner: { memberId: 'dead', claim: 4 } }),
      world({ owner: { memberId: 'b', claim: 4 } }),
      COMMIT,
    ],
    ['I1: orders/0 has 2 owners', world(), forward, { ...COMMIT, handedOut: [FENCE, { ...FENCE }] }],
    [
      'I2: orders/0 took a commit that is not its owner',
      world(),
      forward,
      { ...COMMIT, fence: { ...FENCE, epoch: 99 } },
    ],
    [
      'I2: orders/0 took a commit that is not its owner',
      world(),
      forward,
      { ...COMMIT, fence: { ...FENCE, nonce: 'n0' } },
    ],
    ['I2: what the owner of orders/0 sent before it sought is still accepted', forward, world(), SEEK],
    [
      'I2: orders/0 took a repeat-seek that is not its owner',
      world({ stored: { ...OWNED, nonce: 'n2' } }),
      world({ stored: { ...OWNED, nonce: 'n2', committed: 4 } }),
      { ...SEEK, operation: { kind: 'repeat-seek', partition: 'orders/0' } },
    ],
    [
      'I3: the epoch of orders/0 went back',
      world(),
      world({ stored: { ...OWNED, epoch: 99 } }),
      { ...COMMIT, handedOut: [] },
    ],
    [
      'I3: orders/0 has a new owner and no new epoch',
      world(),
      world({ stored: { ...OWNED, nonce: 'n2' } }),
      acquiring(null),
    ],
    ['I4: the committed offset of orders/0 went back from 6 to 5', forward, world(), COMMIT],
    [
      'I4: the committed offset of orders/0 went back from 6 to 5',
      forward,
      world({ stored: { ...OWNED, epoch: 101, nonce: 'n2' } }),
      acquiring(null),
    ],
    [
      'I4: orders/0 has committed 11 of a log that ends at 10',
      world(),
      world({ stored: { ...OWNED, committed: 11 } }),
      COMMIT,
    ],
    ['orders/0 has forgotten its epoch', world(), world({ stored: null }), COMMIT],
    ['the generation went back', world(), world({ generation: 2 }), { ...COMMIT, status: 'FENCED' }],
  ])('%s', (what, before, after, happening) => {
    expect(violations(before, after, happening)).toEqual([expect.stringContaining(what)]);
  });
});
