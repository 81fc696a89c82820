import type { TopicCatalogue } from '@millrace/core';
import { expect, test } from 'vitest';
import { describeTopicChange, hasSameTopics, withoutRecreated } from './topic-change.ts';

const catalogue = (topics: Record<string, [partitions: number, incarnation: string]>): TopicCatalogue =>
  new Map(
    Object.entries(topics).map(([topic, [partitions, incarnation]]) => [topic, { partitions, incarnation }]),
  );

const before = catalogue({ orders: [3, 'a'], audit: [1, 'b'] });

test.each([
  ['nothing', { audit: [1, 'b'], orders: [3, 'a'] }, true, '', ['audit', 'orders']],
  [
    'growth',
    { orders: [5, 'a'], audit: [1, 'b'] },
    false,
    'orders from 3 to 5 partitions',
    ['orders', 'audit'],
  ],
  [
    'a new topic',
    { orders: [3, 'a'], audit: [1, 'b'], new: [2, 'c'] },
    false,
    'new created with 2 partitions',
    ['orders', 'audit', 'new'],
  ],
  ['a deletion', { orders: [3, 'a'] }, false, 'audit deleted', ['orders']],
  [
    'a new topic under an old name',
    { orders: [3, 'z'], audit: [1, 'b'] },
    false,
    'orders deleted and created again',
    ['audit'],
  ],
] as const)('%s', (_, after, isSame, text, kept) => {
  const now = catalogue(after as never);
  expect(hasSameTopics(before, now)).toBe(isSame);
  expect(describeTopicChange(before, now)).toBe(text);
  expect([...withoutRecreated(before, now).keys()]).toEqual(kept);
});

test('names ten changes and counts the rest', () => {
  const many = catalogue(Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`t${n}`, [1, 'x']])));
  expect(describeTopicChange(new Map(), many)).toMatch(/t9 created with 1 partitions and 2 more$/);
});
