import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SHARED_BYTES, SharedTimes } from './lease-messages.ts';

const DAY_MS = 86_400_000;

describe('SharedTimes', () => {
  test('tells the age of what was noted, however long the machine has been up', () => {
    const anyAge = fc.record({ notedMs: fc.integer({ min: 0, max: 2 ** 45 }), ageMs: fc.nat(24 * DAY_MS) });
    fc.assert(
      fc.property(anyAge, ({ notedMs, ageMs }) => {
        const times = new SharedTimes(new SharedArrayBuffer(SHARED_BYTES));
        times.noteRenewal(notedMs);
        times.noteProgress(notedMs + 1);
        expect(times.renewalAgeMs(notedMs + ageMs)).toBe(ageMs);
        expect(times.progressAgeMs(notedMs + 1 + ageMs)).toBe(ageMs);
      }),
    );
  });

  test('is seen by who shares the memory, and each of the two by itself', () => {
    const shared = new SharedArrayBuffer(SHARED_BYTES);
    const [main, thread] = [new SharedTimes(shared), new SharedTimes(shared)];
    thread.noteRenewal(5000);
    main.noteProgress(7000);
    expect([main.renewalAgeMs(9000), thread.progressAgeMs(9000)]).toEqual([4000, 2000]);
  });

  test('counts whole milliseconds, from the one that had begun: an age is never told too small by more than that', () => {
    const times = new SharedTimes(new SharedArrayBuffer(SHARED_BYTES));
    times.noteRenewal(1000.9);
    expect(times.renewalAgeMs(1002.1)).toBe(2);
  });

  test('of what was noted a moment ahead, on another thread, is 0', () => {
    const times = new SharedTimes(new SharedArrayBuffer(SHARED_BYTES));
    times.noteRenewal(1001.5);
    expect(times.renewalAgeMs(1000.9)).toBe(0);
  });
});
