/** A partition that nobody claims: its target has missed something, and the leader's audit makes it look again. */
import { createKeys } from '@millrace/redis';
import { eventually } from '@millrace/testkit';
import { expect } from 'vitest';
import { GROUP, test, TOPIC } from './consumer-fixture.ts';

test('a partition that nobody claims is told of, and the members are woken', async ({ stage, ioredis }) => {
  await stage.createTopic(1);
  const worker = await stage.worker({ leaseMs: 1_000, drainTimeoutMs: 100 });
  await worker.untilOwns(0);
  const { owners, wake } = createKeys(stage.prefix).group(GROUP);
  const listener = ioredis.duplicate();
  try {
    const heard: string[] = [];
    listener.on('smessage', (_channel: string, what: string) => heard.push(what));
    await listener.ssubscribe(wake);
    expect(await ioredis.hdel(owners, `${TOPIC}/0`)).toBe(1);
    await eventually(() => heard.includes('assignment'), { what: 'a wake-up' });
    await eventually(async () => (await stage.history('partition-unowned')).length > 0);
    expect((await stage.history('partition-unowned'))[0]?.fields).toEqual({
      partition: `${TOPIC}/0`,
      target: worker.consumer.memberId,
    });
  } finally {
    listener.disconnect();
  }
});
