import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { chooseRate, planDepartures, recordsBeforeHold } from './schedule.ts';

const inputs = [fc.integer({ min: 0, max: 5_000_000 }), fc.integer({ min: 0, max: 20 })] as const;

describe('departures', () => {
  test('the leader first, one in order half-way, and the others killed', () => {
    expect(planDepartures(1000, 3)).toEqual([
      { kind: 'kill-leader', afterApplied: 150 },
      { kind: 'kill', afterApplied: 333 },
      { kind: 'leave', afterApplied: 516 },
      { kind: 'kill', afterApplied: 700 },
    ]);
    expect(planDepartures(1000, 1).map(({ kind }) => kind)).toEqual(['kill-leader', 'leave']);
    expect(planDepartures(1000, 0).map(({ kind }) => kind)).toEqual(['leave']);
  });

  test('as many kills as asked for, one leave, each no earlier than the one before', () => {
    fc.assert(
      fc.property(...inputs, (records, kills) => {
        const departures = planDepartures(records, kills);
        expect(departures.filter(({ kind }) => kind === 'leave')).toHaveLength(1);
        expect(departures.filter(({ kind }) => kind === 'kill-leader')).toHaveLength(Math.min(1, kills));
        expect(departures).toHaveLength(kills + 1);
        const times = departures.map(({ afterApplied }) => afterApplied);
        expect(times.toSorted((a, b) => a - b)).toEqual(times);
      }),
    );
  });

  test('none waits for a record that is itself held back until all have gone', () => {
    fc.assert(
      fc.property(...inputs, (records, kills) => {
        const last = planDepartures(records, kills).at(-1)?.afterApplied ?? 0;
        expect(last).toBeLessThanOrEqual(recordsBeforeHold(records));
        expect(recordsBeforeHold(records)).toBeLessThanOrEqual(records);
      }),
    );
  });
});

test('the pace fits the length of the history, within what a small machine carries', () => {
  expect(chooseRate(1)).toBe(1);
  expect(chooseRate(15_000)).toBe(1000);
  expect(chooseRate(10_000_000)).toBe(5000);
});
