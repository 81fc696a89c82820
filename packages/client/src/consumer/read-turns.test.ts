import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReadTurns } from './read-turns.ts';

const lanesOf = (count: number) => Array.from({ length: count }, (_, number) => ({ number }));

test('all are asked where there is room for all', () => {
  const lanes = lanesOf(3);
  const turns = new ReadTurns();
  expect(turns.take(lanes, 3)).toEqual(lanes);
  expect(turns.take(lanes, 8)).toEqual(lanes);
});

test('who wants to be read all the time is asked as often as everybody else', () => {
  const lanes = lanesOf(5);
  const turns = new ReadTurns<{ number: number }>();
  const asked = Array.from({ length: 5 }, () => turns.take(lanes, 2).map(({ number }) => number));
  expect(asked).toEqual([
    [0, 1],
    [2, 3],
    [4, 0],
    [1, 2],
    [3, 4],
  ]);
});

test('no partition is left out when those that were just read sit out one read', () => {
  const lanes = lanesOf(16);
  const turns = new ReadTurns<{ number: number }>();
  const asked = new Set<{ number: number }>();
  let sittingOut: readonly { number: number }[] = [];
  for (let read = 0; read < 8; read++) {
    sittingOut = turns.take(
      lanes.filter((lane) => !sittingOut.includes(lane)),
      4,
    );
    for (const lane of sittingOut) asked.add(lane);
  }
  expect(asked.size).toBe(16);
});

test('whoever else comes and goes, a lane that wants to be read is asked within two rounds', () => {
  const reads = fc.array(fc.uniqueArray(fc.nat(9), { maxLength: 10 }), { minLength: 20, maxLength: 60 });
  fc.assert(
    fc.property(reads, fc.integer({ min: 1, max: 5 }), fc.nat(9), (others, count, patient) => {
      const lanes = lanesOf(10);
      const turns = new ReadTurns<{ number: number }>();
      let waited = 0;
      for (const wanting of others) {
        const chosen = turns.take(
          lanes.filter(({ number }) => number === patient || wanting.includes(number)),
          count,
        );
        expect(new Set(chosen).size).toBe(chosen.length);
        waited = chosen.some(({ number }) => number === patient) ? 0 : waited + 1;
        expect(waited).toBeLessThan(2 * Math.ceil(10 / count));
      }
    }),
  );
});
