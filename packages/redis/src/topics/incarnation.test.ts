import { expect, test } from 'vitest';
import { newIncarnation } from './incarnation.ts';

const NOW = 1_795_336_826_672_123;

test('is stamped with the time of its creation', () => {
  expect(newIncarnation(NOW, [])).toMatch(new RegExp(`^${NOW}-[\\w-]{16}$`));
});

test('is another one every time', () => {
  expect(newIncarnation(NOW, [])).not.toBe(newIncarnation(NOW, []));
});

test('is later than what is left, where the clock went back', () => {
  expect(newIncarnation(NOW, ['5-x', `${NOW + 70}-y`, `${NOW + 3}-z`])).toMatch(new RegExp(`^${NOW + 71}-`));
});

test('does not mind a name in another form', () => {
  expect(newIncarnation(NOW, ['', 'x', '-1-x'])).toMatch(new RegExp(`^${NOW}-`));
});
