/** Creators, growers and deleters of one topic: whoever sleeps through whatever, a topic is whole or gone. */
import { RedisTopicStore } from '@millrace/redis';
import fc from 'fast-check';
import { expect } from 'vitest';
import { test, type LogFixture } from '../log/log-fixture.ts';
import { interleave, type Actor, type Turn } from './interleave.ts';

const ACTORS = 3;

type Step = { readonly do: 'create' | 'add'; readonly partitions: number } | { readonly do: 'delete' };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constantFrom('create', 'add'), partitions: fc.integer({ min: 1, max: 3 }) }),
  fc.constant({ do: 'delete' } as const),
);
const plans = fc.array(fc.array(step, { minLength: 1, maxLength: 3 }), {
  minLength: ACTORS,
  maxLength: ACTORS,
});
const turn = fc.record({
  actor: fc.integer({ min: 0, max: ACTORS - 1 }),
  commands: fc.constantFrom(1, 1, 2, 3, 5, 8, 30),
});
/** Each actor has a turn, or the schedule would never end. */
const evenTurns: readonly Turn[] = [0, 1, 2].map((actor) => ({ actor, commands: 1 }));
const turns = fc.array(turn, { maxLength: 20 }).map((some) => [...some, ...evenTurns]);

const create = (count: number): Step => ({ do: 'create', partitions: count });
const add = (count: number): Step => ({ do: 'add', partitions: count });
const remove: Step = { do: 'delete' };

/** Each of them found one rule of the store missing, when it was left out on purpose. */
const FOUND: [Step[][], Turn[]][] = [
  // A creator who slept takes the empty partitions of the next topic over.
  [
    [[create(3)], [remove, create(3)], [create(1)]],
    [{ actor: 0, commands: 8 }, { actor: 1, commands: 30 }, ...evenTurns],
  ],
  // A deleter who slept deletes the partitions of the next topic.
  [
    [[remove], [create(3), remove, create(1)], [add(1), remove]],
    [{ actor: 1, commands: 5 }, ...evenTurns],
  ],
  // Partitions are not taken back when the topic is deleted already.
  [
    [[create(3), remove], [create(1)], [remove]],
    [{ actor: 0, commands: 5 }, ...evenTurns],
  ],
  // Partitions are not taken back when the topic is just being deleted, and the deleter has passed them.
  [
    [[remove], [create(1)], [create(1), add(2)]],
    [
      { actor: 2, commands: 5 },
      ...[2, 2, 0, 0].map((actor) => ({ actor, commands: 1 })),
      ...evenTurns.slice(1),
    ],
  ],
  // The entry is written by somebody who read it before others changed it.
  [
    [[create(1), add(1)], [remove], [remove]],
    [{ actor: 1, commands: 2 }, ...evenTurns],
  ],
];

function follow(logs: LogFixture, steps: readonly Step[]): Actor {
  return async (connection) => {
    const topics = new RedisTopicStore(connection, logs.keys);
    for (const next of steps) {
      if (next.do === 'create') await topics.create('payments', next.partitions);
      else if (next.do === 'add') await topics.addPartitions('payments', next.partitions);
      else await topics.delete('payments');
    }
  };
}

/** What a failed run left would make the next ones fail for it, and the shortest failure the wrong one. */
async function forgetTopic(logs: LogFixture): Promise<void> {
  const left = await logs.ioredis.keys(`${logs.keys.prefix}:{payments/*`);
  if (left.length > 0) await logs.ioredis.del(...left);
  await logs.ioredis.hdel(logs.keys.topics, 'payments');
}

async function checkWholeOrGone(logs: LogFixture): Promise<'whole' | 'gone'> {
  const keys = await logs.ioredis.keys(`${logs.keys.prefix}:{payments/*`);
  const description = await logs.topics.describe('payments');
  if (description === null) {
    expect(await logs.ioredis.hexists(logs.keys.topics, 'payments')).toBe(0);
    expect(keys).toEqual([]);
    return 'gone';
  }
  const names = Array.from({ length: description.partitions }, (_, partition) => ({
    topic: 'payments',
    partition,
  }));
  const described = await logs.log.describeMany(names);
  expect(Array.from(described.values(), ({ incarnation }) => incarnation)).toEqual(
    names.map(() => description.incarnation),
  );
  expect(keys).toHaveLength(description.partitions);
  return 'whole';
}

test('a topic is whole or gone, in whatever order its creators and deleters proceed', async ({ logs }) => {
  const ends = { whole: 0, gone: 0 };
  // With the scripts loaded a call of one is one command, and the schedules above mean what they meant.
  await follow(logs, [create(1), add(2), remove])(logs.ioredis);
  await fc.assert(
    fc.asyncProperty(plans, turns, async (steps, schedule) => {
      await forgetTopic(logs);
      const actors = steps.map((plan) => follow(logs, plan));
      await interleave(logs.ioredis, actors, schedule);
      ends[await checkWholeOrGone(logs)]++;
      await logs.topics.delete('payments');
      expect(await logs.ioredis.keys(`${logs.keys.prefix}:{payments/*`)).toEqual([]);
    }),
    { numRuns: 60, examples: FOUND },
  );
  // Both ends were reached, so neither check was vacuous.
  expect(Math.min(ends.whole, ends.gone)).toBeGreaterThan(0);
});
