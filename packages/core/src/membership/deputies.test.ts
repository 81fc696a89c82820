import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseDeputies, untilNextWatchMs } from './deputies.ts';

const PERIOD_MS = 900;

describe('chooseDeputies', () => {
  const joinedAt = (joinedAtMs: number, ...memberIds: string[]) =>
    memberIds.map((memberId) => ({ memberId, joinedAtMs }));

  test('takes the three oldest members, and never the leader', () => {
    const members = [
      ...joinedAt(4, 'd'),
      ...joinedAt(1, 'a'),
      ...joinedAt(3, 'c'),
      ...joinedAt(5, 'e'),
      ...joinedAt(2, 'b'),
    ];
    expect(chooseDeputies(members, 'b')).toEqual(['a', 'c', 'd']);
  });

  test('takes fewer where there are fewer', () => {
    expect(chooseDeputies(joinedAt(1, 'a', 'b'), 'a')).toEqual(['b']);
    expect(chooseDeputies(joinedAt(1, 'a'), 'a')).toEqual([]);
    expect(chooseDeputies([], 'a')).toEqual([]);
  });

  test('does not depend on the order in which members are listed', () => {
    const anyMembers = fc.uniqueArray(
      fc.record({ memberId: fc.string({ minLength: 1, maxLength: 3 }), joinedAtMs: fc.nat(3) }),
      { selector: (member) => member.memberId, maxLength: 8 },
    );
    const anyTwoOrders = anyMembers.chain((members) =>
      fc.tuple(fc.constant(members), fc.shuffledSubarray(members, { minLength: members.length })),
    );
    fc.assert(
      fc.property(anyTwoOrders, ([members, shuffled]) => {
        expect(chooseDeputies(shuffled, 'x')).toEqual(chooseDeputies(members, 'x'));
      }),
    );
  });
});

describe('untilNextWatchMs', () => {
  /** Times of the looks of every deputy over `lengthMs` from `startMs`, each with a clock of the server that is right. */
  function looks(startMs: number, lengthMs: number, count: number): number[] {
    const times: number[] = [];
    for (let rank = 0; rank < count; rank++) {
      let nowMs = startMs + untilNextWatchMs(startMs, PERIOD_MS, rank, count);
      for (; nowMs < startMs + lengthMs; nowMs += untilNextWatchMs(nowMs, PERIOD_MS, rank, count))
        times.push(nowMs);
    }
    return times.sort((a, b) => a - b);
  }

  test.each([1, 2, 3])('%i deputies look at even distances, each once a period', (count) => {
    const anyStart = fc.integer({ min: 0, max: 2 ** 52 });
    fc.assert(
      fc.property(anyStart, (startMs) => {
        const times = looks(startMs, 5 * PERIOD_MS, count);
        const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
        expect(new Set(gaps)).toEqual(new Set([PERIOD_MS / count]));
        expect((times[0] ?? Infinity) - startMs).toBeLessThanOrEqual(PERIOD_MS / count);
      }),
    );
  });

  test('deputies that come at any moment fall into step with the others', () => {
    expect(untilNextWatchMs(0, PERIOD_MS, 0, 3)).toBe(900);
    expect(untilNextWatchMs(0, PERIOD_MS, 1, 3)).toBe(300);
    expect(untilNextWatchMs(0, PERIOD_MS, 2, 3)).toBe(600);
    expect(untilNextWatchMs(299, PERIOD_MS, 1, 3)).toBe(1);
    expect(untilNextWatchMs(300, PERIOD_MS, 1, 3)).toBe(900);
  });

  test('a clock that jumps, wherever to, costs no more than one period and never gives a busy loop', () => {
    const anyTime = fc.integer({ min: -Number.MAX_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });
    const anyRank = fc
      .integer({ min: 1, max: 3 })
      .chain((count) => fc.tuple(fc.nat(count - 1), fc.constant(count)));
    fc.assert(
      fc.property(
        anyTime,
        anyRank,
        fc.integer({ min: 1, max: 60_000 }),
        (timeMs, [rank, count], periodMs) => {
          const waitMs = untilNextWatchMs(timeMs, periodMs, rank, count);
          expect(waitMs).toBeGreaterThan(0);
          expect(waitMs).toBeLessThanOrEqual(periodMs);
        },
      ),
    );
  });

  test('without deputies there is nothing to divide by, and still a period', () => {
    expect(untilNextWatchMs(123, PERIOD_MS, 0, 0)).toBe(777);
  });
});
