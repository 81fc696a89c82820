import { describe, expect, test } from 'vitest';
import { createKeys, DEFAULT_PREFIX } from './keys.ts';

/** What decides the cluster slot: the text between the first brace and the next closing one. */
const tagOf = (key: string): string | undefined => /\{([^}]+)\}/.exec(key)?.[1];

const keys = createKeys('app');
const partition = keys.partition('orders', 3);
const group = keys.group('billing');
const partitionKeys = [
  partition.log,
  partition.state,
  partition.groups,
  partition.producers,
  partition.producerTimes,
  partition.group('billing'),
];
const groupKeys = [
  group.state,
  group.members,
  group.beats,
  group.owners,
  group.assignment,
  group.leaderLock,
  group.events,
  group.wake,
  group.presence('m1'),
];
const catalogue = [keys.topics, keys.groups, keys.producers];

describe('what must change atomically shares a slot', () => {
  test('a partition, with the offsets of every group in it', () => {
    expect(new Set(partitionKeys.map(tagOf))).toEqual(new Set(['orders/3']));
  });

  test('a group, with the presence of every member of it', () => {
    expect(new Set(groupKeys.map(tagOf))).toEqual(new Set(['billing']));
  });
});

test('all keys are different, and all begin with the prefix', () => {
  const all = [...partitionKeys, ...groupKeys, ...catalogue];
  expect(new Set(all).size).toBe(all.length);
  expect(all.filter((key) => !key.startsWith('app:'))).toEqual([]);
});

test('names that look like parts of keys do not meet', () => {
  const names = ['a', 'state', 'member', 'group', 'groups', 'log'];
  const made = names.flatMap((name) => [
    keys.group(name).state,
    keys.group(name).presence('a'),
    keys.group('a').presence(name),
    keys.partition(name, 0).state,
    keys.partition(name, 1).state,
    keys.partition('a', 0).group(name),
  ]);
  // `a` as a member of `a` was made twice.
  expect(new Set(made).size).toBe(made.length - 1);
});

test('a group and a partition never share a slot by accident: a name holds no slash', () => {
  expect(tagOf(keys.group('orders').state)).not.toBe(tagOf(keys.partition('orders', 0).state));
});

test('the prefix is "millrace" unless another one is given', () => {
  expect(DEFAULT_PREFIX).toBe('millrace');
  expect(createKeys().topics).toBe('millrace:topics');
  expect(createKeys().prefix).toBe('millrace');
});
