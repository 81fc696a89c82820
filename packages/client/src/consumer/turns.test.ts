import { VirtualClock } from '@millrace/testkit';
import { expect, test } from 'vitest';
import { Turns } from './turns.ts';

test('a turn is over 10 ms after the first delivery in it, whoever asks', () => {
  const turns = new Turns(new VirtualClock());
  expect([100, 109.9, 110, 500].map((nowMs) => turns.isOver(nowMs))).toEqual([false, false, true, true]);
});

test('the next turn begins anew, with the first delivery in it', async () => {
  const turns = new Turns(new VirtualClock());
  turns.isOver(100);
  await turns.next();
  // Long after the last one: an idle consumer must not put off its first record.
  expect([1_000, 1_009, 1_010].map((nowMs) => turns.isOver(nowMs))).toEqual([false, false, true]);
});
