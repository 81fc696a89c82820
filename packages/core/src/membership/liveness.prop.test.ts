/**
 * Against a naive oracle that keeps every look and works each verdict out from the whole history, on virtual time.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MemberSigns } from '../ports/group-store.ts';
import { initialLiveness, observeLiveness, type ObservedMember } from './liveness.ts';

const GRACE_MS = 200;
const OBSERVER = 'm0';

interface Look {
  readonly nowMs: number;
  readonly signs: ReadonlyMap<string, MemberSigns>;
}

const memberIds = ['m0', 'm1', 'm2', 'm3', 'm4'];
const anyMembers = fc
  .subarray(memberIds, { minLength: 1 })
  .chain((ids) =>
    fc.tuple(
      ...ids.map((memberId) =>
        fc
          .record({ leaseMs: fc.constantFrom(1000, 3000), isStatic: fc.boolean() })
          .map(({ leaseMs, isStatic }): ObservedMember => ({
            memberId,
            leaseMs,
            ...(isStatic && { instanceId: memberId }),
          })),
      ),
    ),
  )
  .map((members) => new Map(members.map((member) => [member.memberId, member])));

/** Time since the look before, and for each member whether it renewed in between and whether it is present. */
const anyStep = fc.record({
  elapsedMs: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 4000 })),
  renewed: fc.subarray(memberIds),
  present: fc.oneof(fc.constant(memberIds), fc.subarray(memberIds)),
});

function looksOf(
  steps: readonly { elapsedMs: number; renewed: string[]; present: readonly string[] }[],
): Look[] {
  let nowMs = 0;
  const beats = new Map(memberIds.map((memberId) => [memberId, 1]));
  return steps.map(({ elapsedMs, renewed, present }) => {
    nowMs += elapsedMs;
    for (const memberId of renewed) beats.set(memberId, (beats.get(memberId) ?? 0) + 1);
    const signs = new Map(
      memberIds.map((memberId) => [
        memberId,
        { subscribers: present.includes(memberId) ? 1 : 0, beat: beats.get(memberId) ?? null },
      ]),
    );
    return { nowMs, signs };
  });
}

/** The first of the last looks, without a gap, that `holds`; -1 when the last one does not. */
function beginOfRun(looks: readonly Look[], holds: (look: Look) => boolean): number {
  let begin = looks.length;
  for (let index = looks.length - 1; index >= 0; index--) {
    const look = looks[index];
    if (look === undefined || !holds(look)) break;
    begin = index;
  }
  return begin === looks.length ? -1 : begin;
}

function naiveVerdicts(members: ReadonlyMap<string, ObservedMember>, looks: readonly Look[]): string[] {
  const nowMs = looks.at(-1)?.nowMs ?? 0;
  const longestLeaseMs = Math.max(...[...members.values()].map((member) => member.leaseMs));
  const isGone = (look: Look | undefined, id: string): boolean => look?.signs.get(id)?.subscribers === 0;
  const isDistrusted = looks.some((look, index) => {
    const fresh = [...members.keys()].filter((id) => isGone(look, id) && !isGone(looks[index - 1], id));
    const isOutage = members.size >= 4 && fresh.length * 2 > members.size;
    return (isOutage || isGone(look, OBSERVER)) && nowMs < look.nowMs + longestLeaseMs;
  });
  const verdicts: string[] = [];
  for (const { memberId, leaseMs, instanceId } of members.values()) {
    const beat = looks.at(-1)?.signs.get(memberId)?.beat;
    const sinceMs = (holds: (look: Look) => boolean): number =>
      looks[beginOfRun(looks, holds)]?.nowMs ?? nowMs;
    const beatSinceMs = sinceMs((look) => look.signs.get(memberId)?.beat === beat);
    const absentSinceMs = sinceMs(
      (look) => look.signs.get(memberId)?.beat === beat && isGone(look, memberId),
    );
    if (nowMs - beatSinceMs >= leaseMs) verdicts.push(`${memberId} lease`);
    else if (
      instanceId === undefined &&
      !isDistrusted &&
      isGone(looks.at(-1), memberId) &&
      nowMs - absentSinceMs >= GRACE_MS
    ) {
      verdicts.push(`${memberId} presence`);
    }
  }
  return verdicts.sort();
}

function verdictsOf(members: ReadonlyMap<string, ObservedMember>, looks: readonly Look[]): string[][] {
  let state = initialLiveness(0);
  return looks.map(({ nowMs, signs }) => {
    const result = observeLiveness(state, members, signs, OBSERVER, nowMs, { presenceGraceMs: GRACE_MS });
    state = result.state;
    return result.dead.map(({ memberId, reason }) => `${memberId} ${reason}`).sort();
  });
}

describe('over any sequence of looks', () => {
  test('the verdicts are those of the whole history', () => {
    fc.assert(
      fc.property(anyMembers, fc.array(anyStep, { minLength: 1, maxLength: 25 }), (members, steps) => {
        const looks = looksOf(steps);
        const expected = looks.map((_, index) => naiveVerdicts(members, looks.slice(0, index + 1)));
        expect(verdictsOf(members, looks)).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  test('a beat that moved since the look before saves its member', () => {
    fc.assert(
      fc.property(anyMembers, fc.array(anyStep, { minLength: 2, maxLength: 25 }), (members, steps) => {
        const dead = verdictsOf(members, looksOf(steps));
        for (const [index, { renewed }] of steps.entries()) {
          const saved = dead[index]?.filter((verdict) => renewed.includes(verdict.slice(0, 2)));
          expect(saved).toEqual([]);
        }
      }),
    );
  });

  test('who renews within its lease and is present is never found dead, however irregular the looks', () => {
    fc.assert(
      fc.property(anyMembers, fc.array(anyStep, { minLength: 1, maxLength: 25 }), (members, steps) => {
        const looks = looksOf(steps.map((step) => ({ ...step, renewed: memberIds, present: memberIds })));
        expect(verdictsOf(members, looks).flat()).toEqual([]);
      }),
    );
  });

  test('who has died is found dead at the latest one lease after the first look that could have seen it', () => {
    const anyDeath = fc.tuple(
      anyMembers,
      fc.array(anyStep, { maxLength: 10 }),
      fc.array(anyStep, { maxLength: 20 }),
    );
    fc.assert(
      fc.property(anyDeath, ([members, before, after]) => {
        const frozen = after.map((step) => ({ ...step, renewed: [], present: [] }));
        const looks = looksOf([...before, { elapsedMs: 1, renewed: [], present: [] }, ...frozen]);
        const diedMs = looks[before.length]?.nowMs ?? 0;
        const dead = verdictsOf(members, looks);
        const missed = [...members.values()].filter(({ memberId, leaseMs }) => {
          const late = looks.findIndex((look) => look.nowMs >= diedMs + leaseMs);
          return late >= 0 && !dead[late]?.some((verdict) => verdict.startsWith(memberId));
        });
        expect(missed).toEqual([]);
      }),
    );
  });
});
