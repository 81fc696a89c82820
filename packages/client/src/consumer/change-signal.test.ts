import { expect, test } from 'vitest';
import { ChangeSignal } from './change-signal.ts';

/** Whether the promise has settled once everything that needs no I/O is done. */
async function isSettled(promise: Promise<void>): Promise<boolean> {
  let settled = false;
  void promise.then(() => (settled = true));
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

test('a waiter is woken by a change', async () => {
  const signal = new ChangeSignal();
  const waiting = signal.wait();
  expect(await isSettled(waiting)).toBe(false);
  signal.notify();
  expect(await isSettled(waiting)).toBe(true);
});

test('a change between two waits is not lost', async () => {
  const signal = new ChangeSignal();
  signal.notify();
  expect(await isSettled(signal.wait())).toBe(true);
});

test('many changes between two waits are one', async () => {
  const signal = new ChangeSignal();
  signal.notify();
  signal.notify();
  await signal.wait();
  expect(await isSettled(signal.wait())).toBe(false);
});

test('a change while the waiter has not run yet is seen by it, not queued behind it', async () => {
  const signal = new ChangeSignal();
  const waiting = signal.wait();
  signal.notify();
  signal.notify();
  await waiting;
  expect(await isSettled(signal.wait())).toBe(false);
});

test('a change right after the waiter ran is for the next wait', async () => {
  const signal = new ChangeSignal();
  const waiting = signal.wait();
  signal.notify();
  await waiting;
  signal.notify();
  expect(await isSettled(signal.wait())).toBe(true);
});
