import { describe, expect, test } from 'vitest';
import { VirtualClock } from './virtual-clock.ts';

/** A clock and what its timers wrote down, each with the time at which it ran. */
function diary() {
  const clock = new VirtualClock();
  const startMs = clock.monotonicMs();
  const entries: string[] = [];
  const note = (what: string) => (): void => {
    entries.push(`${what} at ${clock.monotonicMs() - startMs}`);
  };
  return { clock, entries, note };
}

describe('timers', () => {
  test('run in the order in which they are due, each at its time', async () => {
    const { clock, entries, note } = diary();
    clock.startTimer(30, note('c'));
    clock.startTimer(10, note('a'));
    clock.startTimer(20, note('b'));
    clock.startTimer(41, note('late'));
    await clock.advance(40);
    expect(entries).toEqual(['a at 10', 'b at 20', 'c at 30']);
    expect(clock.pendingTimers).toBe(1);
  });

  test('that are due together run in the order in which they were started', async () => {
    const { clock, entries, note } = diary();
    clock.startTimer(10, note('first'));
    clock.startTimer(10, note('second'));
    await clock.advance(10);
    expect(entries).toEqual(['first at 10', 'second at 10']);
  });

  test('started by a timer run in the same advance when they are due in it', async () => {
    const { clock, entries, note } = diary();
    clock.startTimer(10, () => clock.startTimer(5, note('nested')));
    clock.startTimer(20, note('other'));
    await clock.advance(20);
    expect(entries).toEqual(['nested at 15', 'other at 20']);
  });

  test('started after an await run in the same advance', async () => {
    const { clock, entries, note } = diary();
    const work = async (): Promise<void> => {
      await Promise.resolve();
      await Promise.resolve();
      clock.startTimer(5, note('after two awaits'));
    };
    clock.startTimer(10, () => void work());
    clock.startTimer(17, note('other'));
    await clock.advance(20);
    expect(entries).toEqual(['after two awaits at 15', 'other at 17']);
  });

  test('of no delay wait for the next advance, not for time', async () => {
    const { clock, entries, note } = diary();
    clock.startTimer(0, note('soon'));
    expect(entries).toEqual([]);
    await clock.advance(0);
    expect(entries).toEqual(['soon at 0']);
  });

  test('that are cancelled do not run, not even by one that is due together with them', async () => {
    const { clock, entries, note } = diary();
    const first = clock.startTimer(5, note('cancelled'));
    clock.startTimer(10, () => second.cancel());
    const second = clock.startTimer(10, note('cancelled in time'));
    first.cancel();
    await clock.advance(100);
    expect(entries).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });
});

test('both clocks pass together, and only the wall clock can be shifted', async () => {
  const clock = new VirtualClock();
  const wallMs = clock.nowMs();
  const monotonicMs = clock.monotonicMs();
  await clock.advance(1234);
  expect(clock.nowMs() - wallMs).toBe(1234);
  expect(clock.monotonicMs() - monotonicMs).toBe(1234);
  clock.shiftWallClock(-5000);
  expect(clock.nowMs() - wallMs).toBe(-3766);
  expect(clock.monotonicMs() - monotonicMs).toBe(1234);
});
