import { describe, expect } from 'vitest';
import { GROUP, test } from './partition-fixture.ts';

describe('read-progress', () => {
  test('tells what is committed and what is written, whoever asks', async ({ partition }) => {
    const { fence } = await partition.own('a');
    await partition.store.commit(fence, 40, 'f');
    expect(await partition.store.progress('orders', 0, GROUP)).toEqual({ committed: 40, logEnd: 100 });
  });

  test('is null where the group has never been', async ({ partition }) => {
    await partition.own('a', { group: 'audit' });
    expect(await partition.store.progress('orders', 0, GROUP)).toBeNull();
  });

  test('is null where the partition is gone', async ({ partition }) => {
    await partition.own('a');
    await partition.redis.del(partition.keys.state);
    expect(await partition.store.progress('orders', 0, GROUP)).toBeNull();
  });
});
