import { expect, test } from 'vitest';
import { Slots } from './slots.ts';

/** Takes a slot and writes down when it was given. */
async function takeAs(slots: Slots, name: string, given: string[]): Promise<void> {
  await slots.take()?.come;
  given.push(name);
}

test('a free slot costs no wait', () => {
  const slots = new Slots(2);
  expect([slots.take(), slots.take()]).toEqual([null, null]);
  expect(slots.take()).not.toBeNull();
});

test('who waited longest is served first, one for each slot that comes back', async () => {
  const slots = new Slots(1);
  const given: string[] = [];
  const all = ['a', 'b', 'c'].map((name) => takeAs(slots, name, given));
  await all[0];
  slots.giveBack();
  await all[1];
  expect(given).toEqual(['a', 'b']);
  slots.giveBack();
  await all[2];
  expect(given).toEqual(['a', 'b', 'c']);
});

test('a slot that is given back with nobody waiting is free again', () => {
  const slots = new Slots(1);
  expect(slots.take()).toBeNull();
  slots.giveBack();
  expect(slots.take()).toBeNull();
  expect(slots.take()).not.toBeNull();
});

test('a slot that went to a waiter is not free for somebody else', async () => {
  const slots = new Slots(1);
  expect(slots.take()).toBeNull();
  const waiting = slots.take();
  slots.giveBack();
  expect(await waiting?.come).toBe(true);
  expect(slots.take()).not.toBeNull();
});

test('who waits no longer is passed over, and cannot give away what it was given', async () => {
  const slots = new Slots(1);
  slots.take();
  const [gone, next] = [slots.take(), slots.take()];
  gone?.leave();
  expect(await gone?.come).toBe(false);
  slots.giveBack();
  expect(await next?.come).toBe(true);
  next?.leave();
  expect(slots.take()).not.toBeNull();
});

test('without a limit nobody waits', () => {
  const slots = new Slots(Number.POSITIVE_INFINITY);
  expect(Array.from({ length: 100 }, () => slots.take()).every((slot) => slot === null)).toBe(true);
});
