import { VirtualClock } from '@millrace/testkit';
import { expect, test } from 'vitest';
import { MemoryBudget } from './memory-budget.ts';

test('there is room until the budget is spent, and one record beyond it', () => {
  const budget = new MemoryBudget(10, new VirtualClock());
  budget.take(9);
  expect(budget.hasRoom).toBe(true);
  budget.take(1_000);
  expect(budget.hasRoom).toBe(false);
  expect(budget.usedBytes).toBe(1_009);
  budget.give(1_000);
  expect(budget.hasRoom).toBe(true);
});

test('whoever waits longest comes first, as long as there is room', () => {
  const budget = new MemoryBudget(10, new VirtualClock());
  budget.take(30);
  const order: string[] = [];
  for (const name of ['a', 'b', 'c']) {
    budget.whenRoom(() => {
      order.push(name);
      budget.take(6);
    });
  }
  budget.give(25);
  expect(order).toEqual(['a']);
  budget.give(11);
  expect(order).toEqual(['a', 'b', 'c']);
});

test('nobody who comes later overtakes a waiter', () => {
  const budget = new MemoryBudget(10, new VirtualClock());
  budget.take(10);
  budget.whenRoom(() => budget.take(10));
  budget.whenRoom(() => {});
  expect(budget.hasRoom).toBe(false);
  budget.give(10);
  budget.give(1);
  expect(budget.hasRoom).toBe(true);
});

test('a waiter sees the room that it was called for, and goes to the end when that is not enough', () => {
  const budget = new MemoryBudget(10, new VirtualClock());
  budget.take(10);
  const order: string[] = [];
  const greedy = (): void => {
    order.push('greedy');
    expect(budget.hasRoom).toBe(true);
    budget.take(10);
    if (order.length < 3) budget.whenRoom(greedy);
  };
  budget.whenRoom(greedy);
  budget.whenRoom(() => order.push('modest'));
  budget.give(10);
  expect(order).toEqual(['greedy']);
  budget.give(10);
  expect(order).toEqual(['greedy', 'modest', 'greedy']);
});

test('room that nobody has taken yet is not lost while others wait', () => {
  const budget = new MemoryBudget(10, new VirtualClock());
  budget.take(20);
  let calls = 0;
  budget.whenRoom(() => calls++);
  budget.whenRoom(() => calls++);
  budget.give(20);
  expect(calls).toBe(2);
});

test('who waits is let in once there is room for more than a record or two', () => {
  const budget = new MemoryBudget(3_200, new VirtualClock());
  budget.take(3_200);
  let calls = 0;
  budget.whenRoom(() => calls++);
  budget.give(99);
  expect([calls, budget.freeBytes]).toEqual([0, 99]);
  budget.give(1);
  expect(calls).toBe(1);
});

test('who waits is let in with less, when no more becomes free for a while', async () => {
  const clock = new VirtualClock();
  const budget = new MemoryBudget(3_200, clock);
  budget.take(3_250);
  const order: string[] = [];
  for (const name of ['a', 'b']) {
    budget.whenRoom(() => {
      order.push(name);
      budget.take(40);
    });
  }
  budget.give(50);
  expect(clock.pendingTimers).toBe(0);
  budget.give(40);
  await clock.advance(19);
  budget.give(40);
  expect(order).toEqual([]);
  await clock.advance(1);
  expect(order).toEqual(['a', 'b']);
  expect(clock.pendingTimers).toBe(0);
});

test('nothing is waited for when nobody waits any more', async () => {
  const clock = new VirtualClock();
  const budget = new MemoryBudget(3_200, clock);
  budget.take(3_200);
  let calls = 0;
  budget.whenRoom(() => calls++);
  budget.give(1);
  expect(clock.pendingTimers).toBe(1);
  budget.give(99);
  expect([calls, clock.pendingTimers]).toEqual([1, 0]);
  budget.give(3_100);
  expect(clock.pendingTimers).toBe(0);
});
