/** Every status of commit-offset, release-partition and seek-offset, each with every fence that must be refused. */
import type { Fence } from '@millrace/core';
import { describe, expect } from 'vitest';
import { GROUP, test, type PartitionFixture } from './partition-fixture.ts';

/** Calls that only the owner may make. */
const WRITES: Readonly<Record<string, (partition: PartitionFixture, fence: Fence) => Promise<unknown>>> = {
  commit: (partition, fence) => partition.store.commit(fence, 50, 'f'),
  release: (partition, fence) => partition.store.release(fence),
  seek: (partition, fence) => partition.store.seek(fence, 50, 'sought'),
};

describe.for(Object.entries(WRITES))('%s is FENCED', ([, write]) => {
  test('by an heir, whose name and epoch it tells', async ({ partition }) => {
    const { fence } = await partition.own('a');
    const { result } = await partition.own('b', { claim: 2 });
    const before = await partition.stored();
    expect(await write(partition, fence)).toEqual({ status: 'FENCED', epoch: result.epoch, owner: 'b' });
    expect(await partition.stored()).toEqual(before);
  });

  test.for([
    { what: 'an older epoch', change: (fence: Fence) => ({ ...fence, epoch: fence.epoch - 1 }) },
    { what: 'a newer epoch', change: (fence: Fence) => ({ ...fence, epoch: fence.epoch + 1 }) },
    { what: 'no epoch', change: (fence: Fence) => ({ ...fence, epoch: 0 }) },
    { what: 'another nonce', change: (fence: Fence) => ({ ...fence, nonce: 'guessed' }) },
    { what: 'an empty nonce', change: (fence: Fence) => ({ ...fence, nonce: '' }) },
  ])('with $what', async ({ change }, { partition }) => {
    const { result, fence } = await partition.own('a');
    const before = await partition.stored();
    expect(await write(partition, change(fence))).toEqual({
      status: 'FENCED',
      epoch: result.epoch,
      owner: 'a',
    });
    expect(await partition.stored()).toEqual(before);
  });

  test('where nobody has ever owned the partition, and nothing comes into being', async ({ partition }) => {
    const { server } = partition;
    const fence = { topic: 'orders', partition: 0, group: GROUP, epoch: 1, nonce: 'n', server };
    expect(await write(partition, fence)).toEqual({ status: 'FENCED', epoch: 0, owner: '' });
    expect(await partition.stored()).toEqual({});
  });

  test('for an epoch that a failover gave out twice: the nonce tells the two apart', async ({
    partition,
  }) => {
    const { fence } = await partition.own('a');
    await partition.own('b', { claim: 2 });
    await partition.redis.hset(partition.keys.group(GROUP), 'epoch', fence.epoch);
    expect(await write(partition, fence)).toEqual({ status: 'FENCED', epoch: fence.epoch, owner: 'b' });
  });
});

describe.for(['commit', 'seek'])('%s after a release', (name) => {
  test('is FENCED, by the very owner that released', async ({ partition }) => {
    const { result, fence } = await partition.own('a');
    await partition.store.release(fence);
    expect(await WRITES[name]?.(partition, fence)).toEqual({
      status: 'FENCED',
      epoch: result.epoch,
      owner: '',
    });
    expect(await WRITES[name]?.(partition, { ...fence, nonce: '' })).toMatchObject({ status: 'FENCED' });
    expect((await partition.stored())['committed']).toBe('0');
  });
});

describe('commit', () => {
  test('COMMITTED: moves forward, with the fingerprint of the batch before', async ({ partition }) => {
    const { fence } = await partition.own('a');
    expect(await partition.store.commit(fence, 10, 'f10')).toEqual({ status: 'COMMITTED', committed: 10 });
    expect(await partition.store.commit(fence, 30, 'f30')).toEqual({ status: 'COMMITTED', committed: 30 });
    expect(await partition.stored()).toMatchObject({ committed: '30', fingerprint: 'f30' });
  });

  test('COMMITTED: sent twice it changes nothing the second time', async ({ partition }) => {
    const { fence } = await partition.own('a');
    await partition.store.commit(fence, 10, 'f10');
    const before = await partition.stored();
    expect(await partition.store.commit(fence, 10, 'other')).toEqual({ status: 'COMMITTED', committed: 10 });
    expect(await partition.stored()).toEqual(before);
  });

  test('COMMITTED: never goes back, and tells what is stored', async ({ partition }) => {
    const { fence } = await partition.own('a');
    await partition.store.commit(fence, 30, 'f30');
    for (const offset of [29, 9, 0]) {
      expect(await partition.store.commit(fence, offset, 'late')).toEqual({
        status: 'COMMITTED',
        committed: 30,
      });
    }
    expect(await partition.stored()).toMatchObject({ committed: '30', fingerprint: 'f30' });
  });

  test('COMMITTED: to the very end of the log', async ({ partition }) => {
    const { fence } = await partition.own('a');
    expect(await partition.store.commit(fence, 100, 'f')).toEqual({ status: 'COMMITTED', committed: 100 });
  });

  test('BEYOND_END: what nobody has written is not committed', async ({ partition }) => {
    const { fence } = await partition.own('a');
    await partition.store.commit(fence, 99, 'f99');
    expect(await partition.store.commit(fence, 101, 'f')).toEqual({ status: 'BEYOND_END', logEnd: 100 });
    expect(await partition.stored()).toMatchObject({ committed: '99', fingerprint: 'f99' });
  });

  test('BEYOND_END: also when the log is gone altogether', async ({ partition }) => {
    const { fence } = await partition.own('a');
    await partition.redis.del(partition.keys.state);
    expect(await partition.store.commit(fence, 1, 'f')).toEqual({ status: 'BEYOND_END', logEnd: 0 });
  });
});

describe('release', () => {
  test('RELEASED: keeps epoch, claim and offset, and gives up what makes an owner', async ({ partition }) => {
    const { result, fence } = await partition.own('a', { claim: 3 });
    await partition.store.commit(fence, 10, 'f10');
    expect(await partition.store.release(fence)).toEqual({ status: 'RELEASED' });
    expect(await partition.stored()).toEqual({
      epoch: String(result.epoch),
      claim: '3',
      committed: '10',
      fingerprint: 'f10',
    });
  });

  test('RELEASED: again, as after a lost reply', async ({ partition }) => {
    const { fence } = await partition.own('a');
    await partition.store.release(fence);
    const before = await partition.stored();
    expect(await partition.store.release(fence)).toEqual({ status: 'RELEASED' });
    expect(await partition.stored()).toEqual(before);
  });

  test('a late repetition does not release the heir', async ({ partition }) => {
    const { fence } = await partition.own('a');
    await partition.store.release(fence);
    const { fence: heir } = await partition.own('b', { claim: 2 });
    expect(await partition.store.release(fence)).toEqual({ status: 'FENCED', epoch: heir.epoch, owner: 'b' });
    expect(await partition.store.commit(heir, 1, '')).toMatchObject({ status: 'COMMITTED' });
  });
});

describe('seek', () => {
  test('SOUGHT: goes back and forth, and forgets the fingerprint of another place', async ({ partition }) => {
    const { fence } = await partition.own('a');
    await partition.store.commit(fence, 50, 'f50');
    expect(await partition.store.seek(fence, 20, 'n1')).toEqual({
      status: 'SOUGHT',
      from: 50,
      committed: 20,
    });
    expect(await partition.stored()).toMatchObject({ committed: '20', fingerprint: '', nonce: 'n1' });
    const first = { ...fence, nonce: 'n1' };
    expect(await partition.store.seek(first, 80, 'n2')).toEqual({
      status: 'SOUGHT',
      from: 20,
      committed: 80,
    });
    const second = { ...fence, nonce: 'n2' };
    expect(await partition.store.commit(second, 81, 'f81')).toEqual({ status: 'COMMITTED', committed: 81 });
  });

  test('SOUGHT: sent again, after a lost reply or late, it changes nothing', async ({ partition }) => {
    const { fence } = await partition.own('a');
    await partition.store.commit(fence, 50, 'f50');
    await partition.store.seek(fence, 20, 'n1');
    expect(await partition.store.seek(fence, 20, 'n1')).toEqual({
      status: 'SOUGHT',
      from: null,
      committed: 20,
    });
    await partition.store.commit({ ...fence, nonce: 'n1' }, 30, 'f30');
    await partition.store.seek(fence, 20, 'n1');
    expect(await partition.stored()).toMatchObject({ committed: '30', fingerprint: 'f30', nonce: 'n1' });
  });

  test.for<{ what: string; write: (partition: PartitionFixture, fence: Fence) => Promise<unknown> }>([
    { what: 'a commit', write: ({ store }, fence) => store.commit(fence, 50, 'f50') },
    { what: 'another seek', write: ({ store }, fence) => store.seek(fence, 80, 'n0') },
    { what: 'a release', write: ({ store }, fence) => store.release(fence) },
  ])('fences $what that was sent before it and arrives late', async ({ write }, { partition }) => {
    const { fence } = await partition.own('a');
    await partition.store.commit(fence, 10, 'f10');
    await partition.store.seek(fence, 0, 'n1');
    const before = await partition.stored();
    expect(await write(partition, fence)).toEqual({ status: 'FENCED', epoch: fence.epoch, owner: 'a' });
    expect(await partition.stored()).toEqual(before);
    const owner = { ...fence, nonce: 'n1' };
    expect(await partition.store.commit(owner, 5, '')).toEqual({ status: 'COMMITTED', committed: 5 });
    expect(await partition.store.release(owner)).toEqual({ status: 'RELEASED' });
  });

  test('SOUGHT: to the first and behind the last record', async ({ partition }) => {
    await partition.setLog({ start: 30, end: 100 });
    const { fence } = await partition.own('a');
    expect(await partition.store.seek(fence, 100, 'n1')).toMatchObject({ status: 'SOUGHT', committed: 100 });
    const owner = { ...fence, nonce: 'n1' };
    expect(await partition.store.seek(owner, 30, 'n2')).toMatchObject({ status: 'SOUGHT', committed: 30 });
  });

  test('OUT_OF_RANGE: before the first and beyond the end, nothing moves', async ({ partition }) => {
    await partition.setLog({ start: 30, end: 100 });
    const { fence } = await partition.own('a');
    await partition.store.commit(fence, 50, 'f50');
    for (const offset of [0, 29, 101]) {
      expect(await partition.store.seek(fence, offset, `to ${offset}`)).toEqual({
        status: 'OUT_OF_RANGE',
        logStart: 30,
        logEnd: 100,
      });
    }
    expect(await partition.stored()).toMatchObject({ committed: '50', fingerprint: 'f50' });
  });

  test('an heir begins where it was sought', async ({ partition }) => {
    const { fence } = await partition.own('a');
    await partition.store.commit(fence, 50, 'f50');
    await partition.store.seek(fence, 20, 'sought');
    expect((await partition.own('b', { claim: 2 })).result).toMatchObject({
      committed: 20,
      fingerprint: '',
      reset: null,
    });
  });
});

describe.for([2 ** 31, 2 ** 32, 10 ** 15, Number.MAX_SAFE_INTEGER - 3])('offsets around %i', (base) => {
  test('are exact in every call', async ({ partition }) => {
    await partition.setLog({ start: base, end: base + 3 });
    const { result, fence } = await partition.own('a');
    expect(result).toMatchObject({ committed: base, logStart: base, logEnd: base + 3 });
    expect(await partition.store.commit(fence, base + 1, '')).toEqual({
      status: 'COMMITTED',
      committed: base + 1,
    });
    expect(await partition.store.commit(fence, base + 3, '')).toEqual({
      status: 'COMMITTED',
      committed: base + 3,
    });
    expect(await partition.store.seek(fence, base + 2, 'sought')).toEqual({
      status: 'SOUGHT',
      from: base + 3,
      committed: base + 2,
    });
    expect(await partition.store.seek({ ...fence, nonce: 'sought' }, base - 1, 'again')).toMatchObject({
      status: 'OUT_OF_RANGE',
    });
    expect((await partition.stored())['committed']).toBe(String(base + 2));
    expect(await partition.store.progress('orders', 0, GROUP)).toEqual({
      committed: base + 2,
      logEnd: base + 3,
    });
  });

  test('beyond the end are refused, by one', async ({ partition }) => {
    await partition.setLog({ start: 0, end: base + 1 });
    const { fence } = await partition.own('a');
    expect(await partition.store.commit(fence, base + 2, '')).toEqual({
      status: 'BEYOND_END',
      logEnd: base + 1,
    });
    expect(await partition.store.commit(fence, base + 1, '')).toMatchObject({ status: 'COMMITTED' });
  });
});
