/** A failover of the group's slot that took back the last assignment and nothing else. Found by the simulation. */
import { closeConnection, createKeys, openConnection } from '@millrace/redis';
import { eventually } from '@millrace/testkit';
import { describe } from 'vitest';
import { GROUP, test } from './consumer-fixture.ts';

describe('an assignment that a failover took back', () => {
  test('is published again, although nobody has come or gone', async ({ stage }) => {
    await stage.createTopic(2);
    const worker = await stage.worker();
    await worker.untilOwns(0, 1);
    const config = { kind: 'single', url: stage.url, connectTimeoutMs: 5_000 } as const;
    const redis = await openConnection(config, 'command', `${stage.prefix}:failover`);
    const { state } = createKeys(stage.prefix).group(GROUP);
    const published = await redis.hget(state, 'assignmentGeneration');
    await redis.hset(state, 'assignmentGeneration', Number(published) - 1);
    await eventually(async () => (await redis.hget(state, 'assignmentGeneration')) === published);
    await closeConnection(redis);
  });
});
