/**
 * The transitions of a member's reconciliation in KIP-848, in our terms: what a member decides (`reconcile`) and what
 * the group's slot grants it. A member looks at its target, gives up what is not in it, and claims what is missing.
 *
 * One rule is ours: KIP-848 gives a member nothing new before it has revoked what it must. Here the two do not wait for
 * each other, because each partition has its own fence.
 */
import { reconcile, type MemberDescription, type PartitionKey } from '@millrace/core';
import { describe, expect } from 'vitest';
import { assignmentOf, test, type GroupFixture } from './group-fixture.ts';

type MemberId = 'a' | 'b' | 'c';
type Partitions = Readonly<Partial<Record<MemberId, readonly number[]>>>;

type Step =
  /** The leader publishes. */
  | { readonly assign: Partitions }
  /** The member looks; what it does about it: `-0` gives up, `+1` gets, `?2:b` waits for b, or why not. */
  | { readonly look: MemberId; readonly does: string }
  /** Its handler is done with a partition that it gives up. */
  | { readonly drained: readonly [MemberId, number] }
  | { readonly leaves: MemberId };

class Peer {
  readonly #group: GroupFixture;
  readonly #member: MemberDescription;
  readonly #owned = new Map<PartitionKey, number>();
  readonly #draining = new Map<PartitionKey, number>();

  constructor(group: GroupFixture, member: MemberDescription) {
    this.#group = group;
    this.#member = member;
  }

  async look(): Promise<string> {
    const { memberId } = this.#member;
    const { assignmentGeneration, partitions } = await this.#group.store.readTarget(memberId);
    const { revoke, claim } = reconcile(
      new Set(this.#owned.keys()),
      new Set(this.#draining.keys()),
      partitions,
    );
    for (const key of revoke) {
      this.#draining.set(key, this.#owned.get(key) ?? 0);
      this.#owned.delete(key);
    }
    const done = revoke.map((key) => `-${numberOf(key)}`);
    if (claim.length === 0) return done.join(' ');
    const result = await this.#group.store.claim({
      ...this.#member,
      assignmentGeneration,
      partitions: claim,
      lowest: 0,
    });
    if (result.status !== 'CLAIMED') return [...done, result.status].join(' ');
    for (const key of result.granted) this.#owned.set(key, result.claim);
    const waits = [...result.held].map(([key, holder]) => `?${numberOf(key)}:${holder}`);
    return [...done, ...result.granted.map((key) => `+${numberOf(key)}`), ...waits].join(' ');
  }

  async drained(partition: number): Promise<void> {
    const key: PartitionKey = `orders/${partition}`;
    const claim = this.#draining.get(key);
    if (claim === undefined) throw new Error(`${key} is not being drained`);
    await this.#group.store.unclaim(this.#member.memberId, new Map([[key, claim]]));
    this.#draining.delete(key);
  }

  leave(): Promise<unknown> {
    return this.#group.store.leave(this.#member.memberId, this.#member.session);
  }
}

function numberOf(key: PartitionKey): string {
  return key.slice('orders/'.length);
}

interface Transition {
  readonly what: string;
  /** Who owns what to begin with, and is assigned it. */
  readonly from: Partitions;
  readonly steps: readonly Step[];
}

const TRANSITIONS: readonly Transition[] = [
  {
    what: 'stable to stable: the same target in a new generation changes nothing',
    from: { a: [0, 1], b: [2] },
    steps: [{ assign: { a: [0, 1], b: [2] } }, { look: 'a', does: '' }, { look: 'b', does: '' }],
  },
  {
    what: 'stable to stable with new partitions: what is free is there at once',
    from: { a: [0] },
    steps: [{ assign: { a: [0, 1, 2] } }, { look: 'a', does: '+1 +2' }, { look: 'a', does: '' }],
  },
  {
    what: 'stable to unrevoked: what it loses is drained, and what is new does not wait for that',
    from: { a: [0, 1] },
    steps: [
      { assign: { a: [1, 2] } },
      { look: 'a', does: '-0 +2' },
      { look: 'a', does: '' },
      { drained: ['a', 0] },
      { look: 'a', does: '' },
    ],
  },
  {
    what: 'stable to unreleased: what another member still owns is waited for, the rest runs on',
    from: { a: [0], b: [1, 2] },
    steps: [
      { assign: { a: [0, 1], b: [2] } },
      { look: 'a', does: '?1:b' },
      { look: 'b', does: '-1' },
      { look: 'a', does: '?1:b' },
      { drained: ['b', 1] },
      { look: 'a', does: '+1' },
    ],
  },
  {
    what: 'unreleased to unreleased: some of it comes, the rest is still waited for',
    from: { a: [], b: [0, 1] },
    steps: [
      { assign: { a: [0, 1], b: [] } },
      { look: 'b', does: '-0 -1' },
      { look: 'a', does: '?0:b ?1:b' },
      { drained: ['b', 1] },
      { look: 'a', does: '+1 ?0:b' },
      { look: 'a', does: '?0:b' },
    ],
  },
  {
    what: 'unreleased to unrevoked: a newer target takes away while something is waited for',
    from: { a: [0], b: [1] },
    steps: [
      { assign: { a: [0, 1], b: [] } },
      { look: 'a', does: '?1:b' },
      { assign: { a: [], b: [0, 1] } },
      { look: 'a', does: '-0' },
      { look: 'b', does: '?0:a' },
      { drained: ['a', 0] },
      { look: 'b', does: '+0' },
    ],
  },
  {
    what: 'unrevoked to unrevoked: a newer target takes more away while the first is drained',
    from: { a: [0, 1, 2] },
    steps: [
      { assign: { a: [1, 2], b: [0] } },
      { look: 'a', does: '-0' },
      { assign: { a: [2], b: [0, 1] } },
      { look: 'a', does: '-1' },
      { drained: ['a', 1] },
      { look: 'b', does: '+1 ?0:a' },
    ],
  },
  {
    what: 'unrevoked to stable: a newer target wants back what is being drained, which then begins anew',
    from: { a: [0] },
    steps: [
      { assign: { a: [], b: [0] } },
      { look: 'a', does: '-0' },
      { assign: { a: [0], b: [] } },
      { look: 'a', does: '' },
      { drained: ['a', 0] },
      { look: 'a', does: '+0' },
    ],
  },
  {
    what: 'two members that swap do not wait for each other for ever',
    from: { a: [0], b: [1] },
    steps: [
      { assign: { a: [1], b: [0] } },
      { look: 'a', does: '-0 ?1:b' },
      { look: 'b', does: '-1 ?0:a' },
      { drained: ['a', 0] },
      { drained: ['b', 1] },
      { look: 'b', does: '+0' },
      { look: 'a', does: '+1' },
    ],
  },
  {
    what: 'three members in a ring neither',
    from: { a: [0], b: [1], c: [2] },
    steps: [
      { assign: { a: [1], b: [2], c: [0] } },
      { look: 'a', does: '-0 ?1:b' },
      { look: 'b', does: '-1 ?2:c' },
      { look: 'c', does: '-2 ?0:a' },
      { drained: ['a', 0] },
      { look: 'c', does: '+0' },
      { drained: ['b', 1] },
      { look: 'a', does: '+1' },
      { drained: ['c', 2] },
      { look: 'b', does: '+2' },
    ],
  },
  {
    what: 'a member that leaves is waited for no longer, whatever it had not given up',
    from: { a: [0], b: [1] },
    steps: [{ leaves: 'b' }, { assign: { a: [0, 1] } }, { look: 'a', does: '+1' }],
  },
  {
    what: 'a member that is not in the group gets nothing (fenced member epoch)',
    from: { a: [0], b: [1] },
    steps: [{ leaves: 'b' }, { assign: { a: [0], b: [1, 2] } }, { look: 'b', does: 'UNKNOWN_MEMBER' }],
  },
];

describe('hand-over', () => {
  test.for(TRANSITIONS)('$what', async ({ from, steps }, { group }) => {
    const leaderEpoch = await group.lead('leader');
    const peers = new Map<MemberId, Peer>();
    for (const memberId of ['a', 'b', 'c'] as const) {
      peers.set(memberId, new Peer(group, await group.join(memberId)));
    }
    const peer = (memberId: MemberId): Peer => peers.get(memberId) ?? unreachable(memberId);
    const assign = async (partitions: Partitions): Promise<void> => {
      const { generation } = await group.store.snapshot();
      const raised = (await group.store.bumpGeneration(leaderEpoch, generation, 'test')) ?? 0;
      const assignment = assignmentOf(partitions);
      await group.store.publish({
        leaderEpoch,
        generation: raised,
        assignment,
        incarnations: new Map(),
        deputies: [],
        moves: 0,
        orphans: new Map(),
      });
    };

    await assign(from);
    for (const memberId of peers.keys()) {
      const gets = (from[memberId] ?? []).map((partition) => `+${partition}`).join(' ');
      expect(await peer(memberId).look()).toBe(gets);
    }
    for (const [index, step] of steps.entries()) {
      if ('assign' in step) await assign(step.assign);
      else if ('look' in step) expect(await peer(step.look).look(), `step ${index}`).toBe(step.does);
      else if ('drained' in step) await peer(step.drained[0]).drained(step.drained[1]);
      else await peer(step.leaves).leave();
    }
  });

  test('a claim that acts on an assignment that was replaced meanwhile is refused', async ({ group }) => {
    const leaderEpoch = await group.lead('a');
    const assignmentGeneration = await group.assign(leaderEpoch, 'a', 0);
    const { members } = await group.store.snapshot();
    await group.join('b');
    await group.assign(leaderEpoch, 'b', 0);
    const request = {
      memberId: 'a',
      session: members.get('a')?.session ?? '',
      assignmentGeneration,
      lowest: 0,
    };
    expect(await group.store.claim({ ...request, partitions: ['orders/0'] })).toEqual({
      status: 'STALE_ASSIGNMENT',
    });
  });
});

function unreachable(what: string): never {
  throw new Error(`unreachable: ${what}`);
}
