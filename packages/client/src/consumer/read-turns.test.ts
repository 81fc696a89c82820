import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReadTurns } from './read-turns.ts';

const always = (): boolean => true;

test('a round asks everybody once, in order, and the next read begins another', () => {
  const turns = new ReadTurns(() => ['a', 'b', 'c'], always);
  expect([turns.first(), turns.next(), turns.next(), turns.next()]).toEqual(['a', 'b', 'c', undefined]);
  expect([turns.first(), turns.first(), turns.next(), turns.next()]).toEqual(['a', 'b', 'c', undefined]);
});

test('who comes while a round goes on is asked in the next one', () => {
  const lanes = ['a', 'b'];
  const turns = new ReadTurns(() => lanes, always);
  expect(turns.first()).toBe('a');
  lanes.unshift('c');
  expect([turns.first(), turns.first(), turns.first()]).toEqual(['b', 'c', 'a']);
});

test('who does not want to be asked any more is passed by', () => {
  const wanting = new Set(['a', 'b', 'c', 'd']);
  const turns = new ReadTurns(
    () => ['a', 'b', 'c', 'd'],
    (lane) => wanting.has(lane),
  );
  expect(turns.first()).toBe('a');
  wanting.delete('b');
  expect(turns.next()).toBe('c');
  wanting.delete('d');
  expect(turns.next()).toBeUndefined();
  expect(turns.all()).toEqual(['a', 'c']);
  wanting.clear();
  expect(turns.first()).toBeUndefined();
});

test('whoever else comes and goes, a lane that wants to be read is asked within two rounds', () => {
  const reads = fc.array(fc.uniqueArray(fc.nat(9), { maxLength: 10 }), { minLength: 20, maxLength: 60 });
  fc.assert(
    fc.property(reads, fc.integer({ min: 1, max: 5 }), fc.nat(9), (others, count, patient) => {
      let wanting: readonly number[] = [];
      const lanes = Array.from({ length: 10 }, (_, number) => number);
      const turns = new ReadTurns(
        () => lanes,
        (lane) => lane === patient || wanting.includes(lane),
      );
      let waited = 0;
      for (wanting of others) {
        const chosen: number[] = [];
        let lane = turns.first();
        for (; lane !== undefined; lane = turns.next()) {
          chosen.push(lane);
          if (chosen.length === count) break;
        }
        expect(new Set(chosen).size).toBe(chosen.length);
        expect(chosen).not.toHaveLength(0);
        waited = chosen.includes(patient) ? 0 : waited + 1;
        expect(waited).toBeLessThan(2 * Math.ceil(10 / count));
      }
    }),
  );
});
