import { describe, expect, test } from 'vitest';
import type { MemberSigns } from '../ports/group-store.ts';
import {
  distrustPresence,
  beginLook,
  initialLiveness,
  observeLiveness,
  type LivenessState,
  type ObservedMember,
  type Verdict,
} from './liveness.ts';

const LEASE_MS = 10_000;
const GRACE_MS = 200;

/** What one look sees of a member: `here` or `gone`, and its beat. */
type Seen = readonly ['here' | 'gone', number] | 'unknown';

/** An observer that takes looks at chosen times. Members `a`, `b`, … are dynamic, `static` is static. */
class Observer {
  #members: ReadonlyMap<string, ObservedMember>;
  #state: LivenessState;
  hasSuspects = false;

  constructor(memberIds: readonly string[], trustPresenceFromMs = 0) {
    this.#members = new Map(
      memberIds.map((memberId) => [
        memberId,
        { memberId, leaseMs: LEASE_MS, ...(memberId === 'static' && { instanceId: memberId }) },
      ]),
    );
    this.#state = initialLiveness(trustPresenceFromMs);
  }

  look(nowMs: number, seen: Readonly<Record<string, Seen>>): string[] {
    const signs = new Map<string, MemberSigns>();
    for (const [memberId, sign] of Object.entries(seen)) {
      const [presence, beat] = sign === 'unknown' ? ['gone', null] : sign;
      signs.set(memberId, { subscribers: presence === 'here' ? 1 : 0, beat });
    }
    const result = observeLiveness(this.#state, this.#members, signs, 'observer', nowMs, {
      presenceGraceMs: GRACE_MS,
    });
    this.#state = result.state;
    this.hasSuspects = result.suspects;
    return result.dead.map(({ memberId, reason, beat }: Verdict) => `${memberId} ${reason} ${beat}`);
  }

  distrustPresence(untilMs: number): void {
    this.#state = distrustPresence(this.#state, untilMs);
  }

  /** What comes before each look of a leader: who answers it, and how long ago the last one was. */
  beginLook(nowMs: number, server = 'one', blindMs = 1_000): void {
    this.#state = beginLook(this.#state, { server, nowMs, blindMs, leaseMs: LEASE_MS });
  }
}

describe('presence', () => {
  test('gone for the grace is dead, and a moment earlier a suspect', () => {
    const observer = new Observer(['a']);
    expect(observer.look(0, { a: ['here', 1] })).toEqual([]);
    expect(observer.hasSuspects).toBe(false);
    expect(observer.look(100, { a: ['gone', 1] })).toEqual([]);
    expect(observer.hasSuspects).toBe(true);
    expect(observer.look(100 + GRACE_MS - 1, { a: ['gone', 1] })).toEqual([]);
    expect(observer.hasSuspects).toBe(true);
    expect(observer.look(100 + GRACE_MS, { a: ['gone', 1] })).toEqual(['a presence 1']);
    expect(observer.hasSuspects).toBe(false);
  });

  test('the grace begins when the absence is seen, not at the look before it', () => {
    const observer = new Observer(['a']);
    observer.look(0, { a: ['here', 1] });
    expect(observer.look(5000, { a: ['gone', 1] })).toEqual([]);
  });

  test('a reconnect within the grace passes, and the next absence has a grace of its own', () => {
    const observer = new Observer(['a']);
    observer.look(0, { a: ['gone', 1] });
    observer.look(GRACE_MS - 1, { a: ['here', 1] });
    expect(observer.look(GRACE_MS, { a: ['gone', 1] })).toEqual([]);
    expect(observer.look(2 * GRACE_MS - 1, { a: ['gone', 1] })).toEqual([]);
    expect(observer.look(2 * GRACE_MS, { a: ['gone', 1] })).toEqual(['a presence 1']);
  });

  test('a member that renews without a subscription is alive', () => {
    const observer = new Observer(['a']);
    observer.look(0, { a: ['here', 1] });
    observer.look(100, { a: ['gone', 1] });
    expect(observer.look(100 + GRACE_MS, { a: ['gone', 2] })).toEqual([]);
    expect(observer.look(100 + 2 * GRACE_MS - 1, { a: ['gone', 2] })).toEqual([]);
    expect(observer.look(100 + 2 * GRACE_MS, { a: ['gone', 2] })).toEqual(['a presence 2']);
  });

  test('a last beat just before the death does not put the verdict off', () => {
    const observer = new Observer(['a']);
    observer.look(0, { a: ['here', 1] });
    observer.look(100, { a: ['gone', 2] });
    expect(observer.look(100 + GRACE_MS, { a: ['gone', 2] })).toEqual(['a presence 2']);
  });

  test('a member that is absent at the first look gets the grace too', () => {
    const observer = new Observer(['a']);
    expect(observer.look(0, { a: ['gone', 7] })).toEqual([]);
    expect(observer.look(GRACE_MS, { a: ['gone', 7] })).toEqual(['a presence 7']);
  });

  test('of a static member says nothing: it is expected to come back within its lease', () => {
    const observer = new Observer(['static']);
    observer.look(0, { static: ['here', 1] });
    observer.look(100, { static: ['gone', 1] });
    expect(observer.look(100 + GRACE_MS, { static: ['gone', 1] })).toEqual([]);
    expect(observer.hasSuspects).toBe(false);
    expect(observer.look(LEASE_MS - 1, { static: ['gone', 1] })).toEqual([]);
    expect(observer.look(LEASE_MS, { static: ['gone', 1] })).toEqual(['static lease 1']);
  });
});

describe('the lease', () => {
  test('is over when the beat has stood still for it, present or not', () => {
    const observer = new Observer(['a']);
    observer.look(0, { a: ['here', 1] });
    expect(observer.look(LEASE_MS - 1, { a: ['here', 1] })).toEqual([]);
    expect(observer.look(LEASE_MS, { a: ['here', 1] })).toEqual(['a lease 1']);
  });

  test('counts from when the beat was first seen: an observer that has just begun gives a whole one', () => {
    const observer = new Observer(['a']);
    expect(observer.look(50_000, { a: ['here', 4711] })).toEqual([]);
    expect(observer.look(50_000 + LEASE_MS - 1, { a: ['here', 4711] })).toEqual([]);
  });

  test('is renewed by any other beat, a lower one after a failover included', () => {
    const observer = new Observer(['a']);
    observer.look(0, { a: ['here', 8] });
    expect(observer.look(LEASE_MS, { a: ['here', 7] })).toEqual([]);
    expect(observer.look(2 * LEASE_MS - 1, { a: ['here', 7] })).toEqual([]);
    expect(observer.look(2 * LEASE_MS, { a: ['here', 7] })).toEqual(['a lease 7']);
  });

  test('of each member is its own', () => {
    const members = new Map([
      ['short', { memberId: 'short', leaseMs: 1000 }],
      ['long', { memberId: 'long', leaseMs: 5000 }],
    ]);
    const signs = new Map(['short', 'long'].map((memberId) => [memberId, { subscribers: 1, beat: 1 }]));
    const settings = { presenceGraceMs: GRACE_MS };
    const first = observeLiveness(initialLiveness(0), members, signs, 'observer', 0, settings);
    const second = observeLiveness(first.state, members, signs, 'observer', 1000, settings);
    expect(second.dead).toEqual([{ memberId: 'short', reason: 'lease', beat: 1 }]);
  });

  test('decides before the presence: one member is found dead for one reason', () => {
    const observer = new Observer(['a']);
    observer.look(0, { a: ['gone', 1] });
    expect(observer.look(LEASE_MS, { a: ['gone', 1] })).toEqual(['a lease 1']);
  });

  test('starts over when the watch itself stood still', () => {
    const observer = new Observer(['a', 'b']);
    observer.look(0, { a: ['here', 1], b: ['gone', 1] });
    observer.beginLook(LEASE_MS + 1);
    expect(observer.look(LEASE_MS + 1, { a: ['here', 1], b: ['gone', 1] })).toEqual([]);
    expect(observer.look(LEASE_MS + 1 + GRACE_MS, { a: ['here', 1], b: ['gone', 1] })).toEqual([
      'b presence 1',
    ]);
    expect(observer.look(2 * LEASE_MS, { a: ['here', 1], b: ['here', 2] })).toEqual([]);
    expect(observer.look(2 * LEASE_MS + 1, { a: ['here', 1], b: ['here', 2] })).toEqual(['a lease 1']);
  });
});

describe('another server', () => {
  test('has lost beats: a member that is back at a beat of before has not stood still', () => {
    const observer = new Observer(['a']);
    observer.beginLook(0, 'one', LEASE_MS);
    observer.look(0, { a: ['here', 7] });
    // It renewed once there, and the failover took that back: beat 6, and 7 again before anybody looked.
    observer.beginLook(LEASE_MS - 1, 'two', LEASE_MS);
    expect(observer.look(LEASE_MS - 1, { a: ['here', 7] })).toEqual([]);
    observer.beginLook(LEASE_MS + 1, 'two', LEASE_MS);
    expect(observer.look(LEASE_MS + 1, { a: ['here', 7] })).toEqual([]);
    observer.beginLook(2 * LEASE_MS - 1, 'two', LEASE_MS);
    expect(observer.look(2 * LEASE_MS - 1, { a: ['here', 7] })).toEqual(['a lease 7']);
  });

  test('does not know its subscribers at once: presence waits for a lease', () => {
    const observer = new Observer(['a']);
    observer.beginLook(0, 'one', LEASE_MS);
    observer.look(0, { a: ['here', 1] });
    observer.beginLook(1_000, 'two', LEASE_MS);
    observer.look(1_000, { a: ['gone', 1] });
    observer.look(1_000 + LEASE_MS - 1, { a: ['gone', 2] });
    expect(observer.look(1_000 + LEASE_MS, { a: ['gone', 2] })).toEqual([]);
    expect(observer.look(1_000 + LEASE_MS + GRACE_MS, { a: ['gone', 2] })).toEqual(['a presence 2']);
  });

  test('the first one is no other one', () => {
    const observer = new Observer(['a']);
    observer.look(0, { a: ['here', 1] });
    observer.beginLook(100, 'one');
    observer.look(100, { a: ['gone', 1] });
    expect(observer.look(100 + GRACE_MS, { a: ['gone', 1] })).toEqual(['a presence 1']);
  });
});

describe('what is not known of a member', () => {
  test('changes nothing: a member that a look does not cover keeps its times', () => {
    const observer = new Observer(['a']);
    observer.look(0, { a: ['here', 1] });
    observer.look(4000, {});
    expect(observer.look(LEASE_MS, { a: ['here', 1] })).toEqual(['a lease 1']);
  });

  test('is no death: a member that the group has forgotten is not judged before it was seen', () => {
    const observer = new Observer(['a']);
    expect(observer.look(0, { a: 'unknown' })).toEqual([]);
    expect(observer.look(2 * LEASE_MS, { a: 'unknown' })).toEqual([]);
  });

  test('is forgotten together with the member: one that comes back begins anew', () => {
    const one = new Map([['a', { memberId: 'a', leaseMs: LEASE_MS }]]);
    const signs = new Map([['a', { subscribers: 1, beat: 1 }]]);
    const settings = { presenceGraceMs: GRACE_MS };
    const first = observeLiveness(initialLiveness(0), one, signs, 'observer', 0, settings);
    const gone = observeLiveness(first.state, new Map(), new Map(), 'observer', 10, settings);
    expect(gone.state.sightings.size).toBe(0);
    const back = observeLiveness(gone.state, one, signs, 'observer', LEASE_MS, settings);
    expect(back.dead).toEqual([]);
  });
});

describe('when it is Redis that failed', () => {
  const everybody = (presence: 'here' | 'gone', beat: number, ...memberIds: string[]): Record<string, Seen> =>
    Object.fromEntries(memberIds.map((memberId) => [memberId, [presence, beat] as const]));

  test('more than half gone in one look is taken for it: only the lease counts, for one lease', () => {
    const observer = new Observer(['a', 'b', 'c', 'd']);
    observer.look(0, everybody('here', 1, 'a', 'b', 'c', 'd'));
    const outage = { ...everybody('gone', 1, 'a', 'b', 'c'), ...everybody('here', 1, 'd') };
    expect(observer.look(100, outage)).toEqual([]);
    expect(observer.hasSuspects).toBe(false);
    // All renew and stay without a subscription: not one is lost for that before the lease is over.
    const renewed = { ...everybody('gone', 2, 'a', 'b', 'c'), ...everybody('here', 2, 'd') };
    expect(observer.look(5000, renewed)).toEqual([]);
    expect(observer.look(100 + LEASE_MS - 1, renewed)).toEqual([]);
    expect(observer.look(100 + LEASE_MS, renewed)).toEqual(['a presence 2', 'b presence 2', 'c presence 2']);
  });

  test('half of them is not: that many may really have died together', () => {
    const observer = new Observer(['a', 'b', 'c', 'd']);
    observer.look(0, everybody('here', 1, 'a', 'b', 'c', 'd'));
    const half = { ...everybody('gone', 1, 'a', 'b'), ...everybody('here', 1, 'c', 'd') };
    observer.look(100, half);
    expect(observer.look(100 + GRACE_MS, half)).toEqual(['a presence 1', 'b presence 1']);
  });

  test('in a group of three nothing can be told from numbers', () => {
    const observer = new Observer(['a', 'b', 'c']);
    observer.look(0, everybody('here', 1, 'a', 'b', 'c'));
    observer.look(100, everybody('gone', 1, 'a', 'b', 'c'));
    expect(observer.look(100 + GRACE_MS, everybody('gone', 1, 'a', 'b', 'c'))).toHaveLength(3);
  });

  test('members that vanish one after the other are no outage', () => {
    const observer = new Observer(['a', 'b', 'c', 'd']);
    observer.look(0, everybody('here', 1, 'a', 'b', 'c', 'd'));
    observer.look(100, { ...everybody('gone', 1, 'a', 'b'), ...everybody('here', 1, 'c', 'd') });
    observer.look(200, { ...everybody('gone', 1, 'a', 'b', 'c'), ...everybody('here', 1, 'd') });
    expect(observer.look(100 + GRACE_MS, everybody('gone', 1, 'a', 'b', 'c', 'd'))).toEqual([
      'a presence 1',
      'b presence 1',
    ]);
  });

  test('members that were absent before and renew are not gone anew', () => {
    const observer = new Observer(['a', 'b', 'c', 'd', 'e']);
    observer.look(0, { ...everybody('gone', 1, 'a', 'b'), ...everybody('here', 1, 'c', 'd', 'e') });
    observer.look(100, {
      ...everybody('gone', 2, 'a', 'b'),
      ...everybody('gone', 1, 'c'),
      ...everybody('here', 1, 'd', 'e'),
    });
    expect(
      observer.look(100 + GRACE_MS, {
        ...everybody('gone', 2, 'a', 'b'),
        ...everybody('gone', 1, 'c'),
        ...everybody('here', 1, 'd', 'e'),
      }),
    ).toEqual(['a presence 2', 'b presence 2', 'c presence 1']);
  });

  test('an observer that is absent itself judges nobody by presence for a lease', () => {
    const observer = new Observer(['a', 'observer']);
    observer.look(0, { a: ['here', 1], observer: ['here', 1] });
    expect(observer.look(100, { a: ['gone', 1], observer: ['gone', 1] })).toEqual([]);
    expect(observer.look(100 + GRACE_MS, { a: ['gone', 1], observer: ['here', 2] })).toEqual([]);
    expect(observer.look(LEASE_MS, { a: ['gone', 1], observer: ['here', 3] })).toEqual(['a lease 1']);
  });

  test('an observer that does not watch itself is not blind', () => {
    const observer = new Observer(['a']);
    observer.look(0, { a: ['gone', 1] });
    expect(observer.look(GRACE_MS, { a: ['gone', 1] })).toEqual(['a presence 1']);
  });

  test('an observer that was cut off waits until it may trust again, and then sees the absence anew', () => {
    const observer = new Observer(['a']);
    observer.look(0, { a: ['gone', 1] });
    observer.distrustPresence(5000);
    expect(observer.look(5000, { a: ['gone', 1] })).toEqual([]);
    expect(observer.look(5000 + GRACE_MS - 1, { a: ['gone', 1] })).toEqual([]);
    expect(observer.look(5000 + GRACE_MS, { a: ['gone', 1] })).toEqual(['a presence 1']);
  });

  test('an absence within the time of distrust counts when it is over', () => {
    const observer = new Observer(['a'], 5000);
    observer.look(0, { a: ['gone', 1] });
    expect(observer.look(4999, { a: ['gone', 1] })).toEqual([]);
    expect(observer.look(5000, { a: ['gone', 1] })).toEqual(['a presence 1']);
  });

  test('the longest lease of the group is waited for, whoever has it', () => {
    const members = new Map(
      [5000, 9000, 2000].map((leaseMs) => [`m${leaseMs}`, { memberId: `m${leaseMs}`, leaseMs }]),
    );
    const signs = new Map([['observer', { subscribers: 0, beat: 1 }]]);
    const settings = { presenceGraceMs: GRACE_MS };
    const { state } = observeLiveness(initialLiveness(0), members, signs, 'observer', 100, settings);
    expect(state.trustPresenceFromMs).toBe(9100);
  });

  test('a later reason for distrust never shortens an earlier one', () => {
    const observer = new Observer(['a', 'observer'], 30_000);
    observer.distrustPresence(20_000);
    observer.look(0, { a: ['gone', 1], observer: ['gone', 1] });
    observer.look(9000, { a: ['gone', 2], observer: ['here', 2] });
    observer.look(18_000, { a: ['gone', 3], observer: ['here', 3] });
    expect(observer.look(27_000, { a: ['gone', 3], observer: ['here', 4] })).toEqual([]);
  });
});
