/** A Redis that comes back with less than it had: what is written at the same offsets afterwards must be delivered. */
import { closeConnection, openConnection } from '@millrace/redis';
import { describe, expect } from 'vitest';
import { test as redisTest } from '@millrace/testkit/vitest';
import { startRedis } from '@millrace/testkit';
import { offsetsOf, Stage, values } from './consumer-fixture.ts';

describe('a log that lost its tail', () => {
  redisTest('delivers what was written anew, from the committed offset that is left', async () => {
    await using server = await startRedis({ directives: { appendonly: 'no', save: '' } });
    const stage = await Stage.open({ url: server.url, prefix: 'tail' });
    await stage.createTopic(1);
    const worker = await stage.worker();
    await stage.sendBatch(0, values('kept', 10));
    await stage.untilCommitted(0, 10);
    const plain = await openConnection({ url: server.url, connectTimeoutMs: 5_000 }, 'command', 'plain');
    await plain.save();
    await closeConnection(plain);
    await stage.sendBatch(0, values('lost', 10));
    await stage.untilCommitted(0, 20);

    await server.restart?.('SIGKILL');
    const before = worker.delivered.length;
    await stage.sendBatch(0, values('new', 15)).catch(() => stage.sendBatch(0, values('new', 15)));
    await worker.untilHandled(before + 15);

    const after = worker.delivered.slice(before);
    expect(offsetsOf(after, 0)).toEqual(Array.from({ length: 15 }, (_, index) => 10 + index));
    expect(after.map(({ value }) => value)).toEqual(values('new', 15));
    await stage.close();
  });
});
