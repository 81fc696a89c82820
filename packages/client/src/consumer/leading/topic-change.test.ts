import { assignmentFromMembers, type TopicCatalogue } from '@millrace/core';
import { expect, test } from 'vitest';
import { describeTopicChange, hasSameTopics, incarnationsOf } from './topic-change.ts';

const catalogue = (topics: Record<string, [partitions: number, incarnation: string]>): TopicCatalogue =>
  new Map(
    Object.entries(topics).map(([topic, [partitions, incarnation]]) => [topic, { partitions, incarnation }]),
  );

const before = catalogue({ orders: [3, 'a'], audit: [1, 'b'] });

test.each([
  ['nothing', { audit: [1, 'b'], orders: [3, 'a'] }, true, ''],
  ['growth', { orders: [5, 'a'], audit: [1, 'b'] }, false, 'orders from 3 to 5 partitions'],
  [
    'a new topic',
    { orders: [3, 'a'], audit: [1, 'b'], new: [2, 'c'] },
    false,
    'new created with 2 partitions',
  ],
  ['a deletion', { orders: [3, 'a'] }, false, 'audit deleted'],
  [
    'a new topic under an old name',
    { orders: [3, 'z'], audit: [1, 'b'] },
    false,
    'orders deleted and created again',
  ],
] as const)('%s', (_, after, isSame, text) => {
  const now = catalogue(after as never);
  expect(hasSameTopics(before, now)).toBe(isSame);
  expect(describeTopicChange(before, now)).toBe(text);
});

test('names ten changes and counts the rest', () => {
  const many = catalogue(Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`t${n}`, [1, 'x']])));
  expect(describeTopicChange(new Map(), many)).toMatch(/t9 created with 1 partitions and 2 more$/);
});

test('incarnations are those of the topics that are assigned', () => {
  const assignment = assignmentFromMembers([['a', new Map([['orders', [0, 1, 2]]])]]);
  expect(incarnationsOf(before, assignment)).toEqual(new Map([['orders', 'a']]));
});
