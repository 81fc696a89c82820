import { expect, expectTypeOf, test } from 'vitest';
import { eventually } from './eventually.ts';

test('gives the first truthy value', async () => {
  const values = [0, '', null, false, 'found', 'later'];
  expect(await eventually(() => values.shift() ?? null)).toBe('found');
  expect(values).toEqual(['later']);
});

test('takes a check made of assertions', async () => {
  let calls = 0;
  await eventually(() => {
    calls += 1;
    expect(calls).toBeGreaterThan(2);
  });
  expect(calls).toBe(3);
});

test('rejects with what was waited for and the last failure', async () => {
  const cause = new Error('still 3 of 4');
  const waiting = eventually(() => Promise.reject(cause), { timeoutMs: 5, what: 'the fourth' });
  await expect(waiting).rejects.toThrow('the fourth did not come true within 5 ms; last: still 3 of 4');
  await expect(waiting).rejects.toHaveProperty('cause', cause);
});

test('checks at least once more when the time is up', async () => {
  expect(await eventually(() => true, { timeoutMs: 0 })).toBe(true);
});

test('refuses, at compile time, a check that may give undefined for "not yet"', () => {
  const list = ['a'];
  // @ts-expect-error undefined would count as passed
  expectTypeOf(eventually(() => list.find((item) => item.length === 1))).resolves.toEqualTypeOf<
    string | undefined
  >();
  expectTypeOf(
    eventually(() => list.find((item) => item.length === 1) ?? null),
  ).resolves.toEqualTypeOf<string>();
});
