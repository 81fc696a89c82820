import { expect, test } from 'vitest';
import { calmest, isCalm, watchHost } from './calm-rounds.ts';

/** As /proc/stat begins. */
function stat(idle: number, stolen: number): string {
  return `cpu  100 20 30 ${idle} 5 0 6 ${stolen} 70 0\ncpu0 1 2 3 4 5 6 7 8 0 0\n`;
}

function watched(...texts: string[]): number {
  return watchHost(() => texts.shift() ?? '')();
}

test('what the host took since is a share of the time of all processors', () => {
  expect(watched(stat(1_000, 40), stat(1_090, 50))).toBe(0.1);
});

test('a host that takes nothing, and a system that does not tell, have taken nothing', () => {
  expect(watched(stat(1_000, 40), stat(1_100, 40))).toBe(0);
  expect(watched('cpu  1 2 3 4\n', 'cpu  1 2 3 8\n')).toBe(0);
  expect(watched('', '')).toBe(0);
});

test('a turn is calm up to a hundredth', () => {
  expect(isCalm(0.01)).toBe(true);
  expect(isCalm(0.011)).toBe(false);
});

test('the rounds that count are those that least was taken from, in their order, of equal ones the first', () => {
  const rounds = [0.3, 0, 0.2, 1, 0.2].map((stolen, round) => ({ stolen, round }));
  expect(calmest(rounds, 2).map(({ round }) => round)).toEqual([1, 2]);
  expect(calmest(rounds, 9).map(({ round }) => round)).toEqual([0, 1, 2, 3, 4]);
});
