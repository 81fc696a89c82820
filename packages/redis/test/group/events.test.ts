/** The rebalance history. */
import { appendGroupEvent, readGroupEvents } from '@millrace/redis';
import { describe, expect } from 'vitest';
import { EVENTS_TO_KEEP } from '../../src/group/events.ts';
import { test } from './group-fixture.ts';

describe('the history', () => {
  test('gives back what was written, with the time of the server, oldest first', async ({ group }) => {
    const [seconds] = await group.redis.time();
    await group.store.appendEvent('offset-sought', { partition: 'orders/3', from: '9', to: '4' });
    await group.store.appendEvent('hand-over-forced', {});
    const [first, second] = await readGroupEvents(group.redis, group.keys, '', 10);
    expect(first).toMatchObject({
      type: 'offset-sought',
      fields: { partition: 'orders/3', from: '9', to: '4' },
    });
    expect(second).toMatchObject({ type: 'hand-over-forced', fields: {} });
    expect(first?.atMs).toBeGreaterThanOrEqual(Number(seconds) * 1000);
    expect(second?.atMs).toBeGreaterThanOrEqual(first?.atMs ?? Infinity);
  });

  test('is read on from an event that is known', async ({ group }) => {
    for (const n of ['1', '2', '3', '4']) await appendGroupEvent(group.redis, group.keys, 'event', { n });
    const read = async (after: string): Promise<[string, string[]]> => {
      const events = await readGroupEvents(group.redis, group.keys, after, 3);
      return [events.at(-1)?.id ?? after, events.map(({ fields }) => fields['n'] ?? '')];
    };
    const [third, first] = await read('');
    expect(first).toEqual(['1', '2', '3']);
    const [fourth, next] = await read(third);
    expect(next).toEqual(['4']);
    expect(await read(fourth)).toEqual([fourth, []]);
  });

  test('of a group that does not exist is empty', async ({ group }) => {
    expect(await readGroupEvents(group.redis, group.keys, '', 10)).toEqual([]);
  });

  test('is bounded, whoever writes it', async ({ group }) => {
    const { session } = await group.join('a');
    for (let index = 0; index < EVENTS_TO_KEEP; index++) {
      await Promise.all([group.store.appendEvent('event', {}), group.store.elect('a', session)]);
    }
    const kept = await group.redis.xlen(group.keys.events);
    // Trimmed by whole nodes of the stream, of 100 entries.
    expect(kept).toBeGreaterThanOrEqual(EVENTS_TO_KEEP);
    expect(kept).toBeLessThanOrEqual(EVENTS_TO_KEEP + 100);
  });
});
