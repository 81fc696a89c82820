/** Creators, growers and deleters of one topic: whoever sleeps through whatever, a topic is whole or gone. */
import { RedisTopicStore } from '@millrace/redis';
import fc from 'fast-check';
import { expect } from 'vitest';
import { test, type LogFixture } from '../log/log-fixture.ts';
import { interleave, type Actor } from './interleave.ts';

const ACTORS = 3;

type Step = { readonly do: 'create' | 'add'; readonly partitions: number } | { readonly do: 'delete' };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constantFrom('create', 'add'), partitions: fc.integer({ min: 1, max: 3 }) }),
  fc.constant({ do: 'delete' } as const),
);
const plans = fc.array(fc.array(step, { minLength: 1, maxLength: 3 }), { minLength: ACTORS, maxLength: ACTORS });
const turn = fc.record({
  actor: fc.integer({ min: 0, max: ACTORS - 1 }),
  commands: fc.constantFrom(1, 1, 2, 3, 5, 8, 30),
});
/** Each actor has a turn, or the schedule would never end. */
const turns = fc.array(turn, { maxLength: 20 }).map((some) => {
  return [...some, ...Array.from({ length: ACTORS }, (_, actor) => ({ actor, commands: 1 }))];
});

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

async function checkWholeOrGone(logs: LogFixture): Promise<'whole' | 'gone'> {
  const keys = await logs.ioredis.keys(`${logs.keys.prefix}:{payments/*`);
  const description = await logs.topics.describe('payments');
  if (description === null) {
    expect(await logs.ioredis.hexists(logs.keys.topics, 'payments')).toBe(0);
    expect(keys).toEqual([]);
    return 'gone';
  }
  const names = Array.from({ length: description.partitions }, (_, partition) => ({ topic: 'payments', partition }));
  const described = await logs.log.describeMany(names);
  expect(Array.from(described.values(), ({ incarnation }) => incarnation)).toEqual(names.map(() => description.incarnation));
  expect(keys).toHaveLength(description.partitions);
  return 'whole';
}

test('a topic is whole or gone, in whatever order its creators and deleters proceed', async ({ logs }) => {
  const ends = { whole: 0, gone: 0 };
  await fc.assert(
    fc.asyncProperty(plans, turns, async (steps, schedule) => {
      const actors = steps.map((plan) => follow(logs, plan));
      await interleave(logs.ioredis, actors, schedule);
      ends[await checkWholeOrGone(logs)]++;
      await logs.topics.delete('payments');
      expect(await logs.ioredis.keys(`${logs.keys.prefix}:{payments/*`)).toEqual([]);
    }),
    { numRuns: 300 },
  );
  // Both ends were reached, so neither check was vacuous.
  expect(Math.min(ends.whole, ends.gone)).toBeGreaterThan(0);
});
