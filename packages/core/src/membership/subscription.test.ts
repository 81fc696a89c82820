import { describe, expect, test } from 'vitest';
import type { MemberDescription, TopicSubscription } from '../ports/group-store.ts';
import { matchTopics, parseSubscription, resolveMembers } from './subscription.ts';

const TOPICS = new Map([
  ['orders', 8],
  ['orders.eu', 4],
  ['payments', 2],
  ['audit', 1],
]);

const matched = (...selectors: (string | RegExp)[]): readonly string[] =>
  matchTopics(selectors.map(parseSubscription), TOPICS);

describe('parseSubscription', () => {
  test('takes a name as it is', () => {
    expect(parseSubscription('orders')).toEqual({ kind: 'name', topic: 'orders' });
  });

  test('takes a pattern apart, so that it can be sent to the leader', () => {
    expect(parseSubscription(/^Orders\/x/i)).toEqual({ kind: 'pattern', source: '^Orders\\/x', flags: 'i' });
  });

  test.each([/a/g, /a/y, /a/giy])('refuses %s, whose matches depend on the matches before', (pattern) => {
    expect(() => parseSubscription(pattern)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(String(pattern)) }),
    );
  });

  test.each(['', 'a b', '..', '__offsets'])('refuses %j, which is no name for a topic', (name) => {
    expect(() => parseSubscription(name)).toThrow(expect.objectContaining({ code: 'INVALID_NAME' }));
  });
});

describe('matchTopics', () => {
  test('finds topics by name, those that exist', () => {
    expect(matched('payments', 'missing')).toEqual(['payments']);
  });

  test('does not take a name for a pattern or for a prefix', () => {
    expect(matched('orders')).toEqual(['orders']);
    expect(matched('order.')).toEqual([]);
  });

  test('finds topics by pattern, flags included', () => {
    expect(matched(/^orders/)).toEqual(['orders', 'orders.eu']);
    expect(matched(/^ORDERS$/)).toEqual([]);
    expect(matched(/^ORDERS$/i)).toEqual(['orders']);
    expect(matched(/^\p{Lowercase}+$/u)).toEqual(['audit', 'orders', 'payments']);
  });

  test('finds a pattern that means any topic in all of them', () => {
    expect(matched(/(?:)/)).toEqual(['audit', 'orders', 'orders.eu', 'payments']);
  });

  test('sorts, and lists a topic once however often it is subscribed to', () => {
    expect(matched('payments', /^orders/, 'orders', /pay/)).toEqual(['orders', 'orders.eu', 'payments']);
  });

  test('gives the same whatever order the catalogue has', () => {
    const reversed = new Map([...TOPICS].toReversed());
    expect(matchTopics([parseSubscription(/./)], reversed)).toEqual(matched(/./));
  });
});

describe('resolveMembers', () => {
  const member = (memberId: string, ...subscriptions: TopicSubscription[]): MemberDescription => ({
    memberId,
    session: 's',
    host: 'h',
    pid: 1,
    subscriptions,
    capacity: 2,
    leaseMs: 10_000,
    assignor: 'sticky',
    isLeaving: false,
    joinedAtMs: 0,
  });

  test('gives assignors names, and the capacity', () => {
    expect(resolveMembers([member('a', parseSubscription(/^orders/))], TOPICS)).toEqual([
      { memberId: 'a', topics: ['orders', 'orders.eu'], capacity: 2 },
    ]);
  });

  test('members with one subscription share one array', () => {
    const [a, b, c] = resolveMembers(
      [
        member('a', parseSubscription(/^orders/), parseSubscription('audit')),
        member('b', parseSubscription(/^orders/), parseSubscription('audit')),
        member('c', parseSubscription('audit')),
      ],
      TOPICS,
    );
    expect(a?.topics).toBe(b?.topics);
    expect(c?.topics).toEqual(['audit']);
  });
});
