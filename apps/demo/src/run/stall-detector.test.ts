import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { StallDetector, StalledError } from './stall-detector.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const never = new Promise<never>(() => {});

test('gives up when nothing moves, and says how things stood', async () => {
  using stall = new StallDetector(30_000, () => '5 of 9 applied');
  const failure = stall.guard(never).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(await failure).toEqual(new StalledError('nothing has moved for 30 seconds: 5 of 9 applied'));
});

test('waits as long as something moves, and the same news is no news', async () => {
  using stall = new StallDetector(30_000, () => '');
  let outcome = 'waiting';
  stall.guard(never).catch(() => (outcome = 'stalled'));
  for (let i = 0; i < 10; i += 1) {
    stall.progress(`${i}`);
    await vi.advanceTimersByTimeAsync(29_000);
    stall.progress(`${i}`);
    expect(outcome).toBe('waiting');
  }
  await vi.advanceTimersByTimeAsync(1_000);
  expect(outcome).toBe('stalled');
});

test('what ends in time goes through, with its result or its failure', async () => {
  using stall = new StallDetector(30_000, () => '');
  expect(await stall.guard(Promise.resolve(7))).toBe(7);
  await expect(stall.guard(Promise.reject(new Error('its own')))).rejects.toThrow('its own');
});
