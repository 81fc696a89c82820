import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { heartbeatIntervalMs, leaseHealth } from './lease.ts';

describe('leaseHealth', () => {
  test.each([
    [0, 'held'],
    [5999, 'held'],
    [6000, 'doubtful'],
    [8999, 'doubtful'],
    [9000, 'expired'],
    [1_000_000, 'expired'],
  ] as const)('a lease of 9 s whose renewal was sent %i ms ago is %s', (ageMs, health) => {
    expect(leaseHealth(1234, 1234 + ageMs, 9000)).toBe(health);
  });

  test('only gets worse with time, and is over before an observer can say so', () => {
    const order = ['held', 'doubtful', 'expired'];
    const anyLease = fc.record({
      leaseMs: fc.integer({ min: 300, max: 86_400_000 }),
      sentMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
      ages: fc.array(fc.double({ min: 0, max: 2e8, noNaN: true }), { minLength: 2 }),
    });
    fc.assert(
      fc.property(anyLease, ({ leaseMs, sentMs, ages }) => {
        const healths = ages
          .toSorted((a, b) => a - b)
          .map((ageMs) => leaseHealth(sentMs, sentMs + ageMs, leaseMs));
        expect(healths).toEqual(healths.toSorted((a, b) => order.indexOf(a) - order.indexOf(b)));
        // The observer may have begun to count at the moment of sending, not before.
        expect(leaseHealth(sentMs, sentMs + leaseMs + 0.001, leaseMs)).toBe('expired');
      }),
    );
  });
});

describe('heartbeatIntervalMs', () => {
  test.each([
    [10_000, 3333],
    [9000, 3000],
    [300, 100],
    [301, 100],
  ])('of a lease of %i ms is %i ms', (leaseMs, intervalMs) => {
    expect(heartbeatIntervalMs(leaseMs)).toBe(intervalMs);
  });

  test('one lost renewal costs nothing: the next one is sent while handlers may still start', () => {
    fc.assert(
      fc.property(fc.integer({ min: 300, max: 86_400_000 }), (leaseMs) => {
        const secondRenewalMs = 2 * heartbeatIntervalMs(leaseMs);
        expect(leaseHealth(0, secondRenewalMs - 1, leaseMs)).toBe('held');
        expect(3 * heartbeatIntervalMs(leaseMs)).toBeLessThanOrEqual(leaseMs);
      }),
    );
  });
});
