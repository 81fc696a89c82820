/** Every status of acquire-partition, and what each leaves behind. */
import { describe, expect } from 'vitest';
import { acquireRequest, GROUP, test } from './partition-fixture.ts';

describe('ACQUIRED', () => {
  test('by the first owner: from where the policy says, and nothing was there before', async ({
    partition,
  }) => {
    const { result } = await partition.own('a');
    expect(result).toEqual({
      status: 'ACQUIRED',
      epoch: result.epoch,
      committed: 0,
      logStart: 0,
      logEnd: 100,
      incarnation: '1-x',
      fingerprint: '',
      server: partition.server,
      reset: { from: null },
    });
    expect(await partition.stored()).toEqual({
      epoch: String(result.epoch),
      nonce: 'nonce-of-a',
      owner: 'a',
      claim: '1',
      committed: '0',
      fingerprint: '',
    });
    expect(await partition.redis.smembers(partition.keys.groups)).toEqual([GROUP]);
  });

  test('by an heir: from the committed offset and its fingerprint, however the policy is', async ({
    partition,
  }) => {
    const { fence } = await partition.own('a');
    await partition.store.commit(fence, 42, '1700000000000-deadbeef');
    const { result } = await partition.own('b', { claim: 2, offsetReset: 'latest' });
    expect(result).toMatchObject({ committed: 42, fingerprint: '1700000000000-deadbeef', reset: null });
    expect(result.epoch).toBeGreaterThan(fence.epoch);
  });

  test('after a release: from the committed offset', async ({ partition }) => {
    const { fence } = await partition.own('a');
    await partition.store.commit(fence, 42, 'f');
    await partition.store.release(fence);
    const { result } = await partition.own('b', { claim: 2 });
    expect(result).toMatchObject({ committed: 42, fingerprint: 'f', reset: null });
    expect(result.epoch).toBeGreaterThan(fence.epoch);
  });

  test('once more, as after a lost reply: the same epoch, and where it stands by now', async ({
    partition,
  }) => {
    const { result, fence } = await partition.own('a');
    await partition.store.commit(fence, 7, 'f');
    const before = await partition.stored();
    const again = await partition.own('a');
    expect(again.result).toMatchObject({ epoch: result.epoch, committed: 7, fingerprint: 'f', reset: null });
    expect(await partition.stored()).toEqual(before);
  });

  test('anew by the same member, with another nonce: a new ownership that fences the old one', async ({
    partition,
  }) => {
    const { fence } = await partition.own('a');
    const { fence: later } = await partition.own('a', { nonce: 'second', claim: 2 });
    expect(later.epoch).toBeGreaterThan(fence.epoch);
    expect(await partition.store.commit(fence, 1, '')).toMatchObject({ status: 'FENCED', owner: 'a' });
    expect(await partition.store.commit(later, 1, '')).toMatchObject({ status: 'COMMITTED' });
  });

  test('with the claim that the partition has seen, after a release or by the same member', async ({
    partition,
  }) => {
    await partition.own('a', { claim: 5 });
    const { fence } = await partition.own('a', { claim: 5, nonce: 'second' });
    await partition.store.release(fence);
    expect((await partition.own('b', { claim: 5 })).result.epoch).toBeGreaterThan(fence.epoch);
  });

  test('by another group: groups do not see each other', async ({ partition }) => {
    const { fence } = await partition.own('a');
    await partition.store.commit(fence, 42, 'f');
    const { result } = await partition.own('a', { group: 'audit', nonce: 'other' });
    expect(result).toMatchObject({ committed: 0, reset: { from: null } });
    expect(await partition.store.commit(fence, 43, 'f')).toMatchObject({ status: 'COMMITTED' });
    expect((await partition.redis.smembers(partition.keys.groups)).toSorted()).toEqual(['audit', GROUP]);
  });
});

describe('where a group without a usable offset begins', () => {
  test.for([
    { what: 'nothing committed, earliest', committed: null, reset: 'earliest', begins: 30 },
    { what: 'nothing committed, latest', committed: null, reset: 'latest', begins: 100 },
    { what: 'records trimmed before they were read, earliest', committed: 29, reset: 'earliest', begins: 30 },
    { what: 'records trimmed before they were read, latest', committed: 29, reset: 'latest', begins: 100 },
    { what: 'a log that lost its tail, earliest', committed: 101, reset: 'earliest', begins: 100 },
    { what: 'a log that lost its tail, latest', committed: 101, reset: 'latest', begins: 100 },
  ] as const)(
    '$what: at $begins, and that it is a reset',
    async ({ committed, reset, begins }, { partition }) => {
      await partition.setLog({ start: 30, end: 100 });
      if (committed !== null) {
        await partition.redis.hset(partition.keys.group(GROUP), {
          committed,
          epoch: 1,
          claim: 1,
          fingerprint: 'f',
        });
      }
      const { result, fence } = await partition.own('a', { offsetReset: reset });
      expect(result).toMatchObject({ committed: begins, fingerprint: '', reset: { from: committed } });
      expect(await partition.stored()).toMatchObject({ committed: String(begins), fingerprint: '' });
      const to = begins === 100 ? 100 : 31;
      expect(await partition.store.commit(fence, to, '')).toEqual({ status: 'COMMITTED', committed: to });
    },
  );

  test.for([30, 100])('at %i, the very edge of the log, is no reset', async (committed, { partition }) => {
    await partition.setLog({ start: 30, end: 100 });
    await partition.redis.hset(partition.keys.group(GROUP), {
      committed,
      epoch: 1,
      claim: 1,
      fingerprint: 'f',
    });
    const { result } = await partition.own('a', { offsetReset: 'fail' });
    expect(result).toMatchObject({ committed, fingerprint: 'f', reset: null });
  });

  test('an empty log: at its end, whatever the policy', async ({ partition }) => {
    await partition.setLog({ end: 0 });
    const { result } = await partition.own('a', { offsetReset: 'latest' });
    expect(result).toMatchObject({ committed: 0, logEnd: 0, reset: { from: null } });
  });
});

describe('NO_OFFSET', () => {
  test.for([null, 29, 101])(
    'with the policy to fail and %o committed: nothing is written',
    async (committed, { partition }) => {
      await partition.setLog({ start: 30, end: 100 });
      if (committed !== null)
        await partition.redis.hset(partition.keys.group(GROUP), { committed, epoch: 1, claim: 1 });
      const before = await partition.stored();
      expect(await partition.store.acquire(acquireRequest('a', { offsetReset: 'fail' }))).toEqual({
        status: 'NO_OFFSET',
        committed,
        logStart: 30,
        logEnd: 100,
      });
      expect(await partition.stored()).toEqual(before);
      expect(await partition.redis.exists(partition.keys.groups)).toBe(0);
    },
  );
});

describe('SUPERSEDED', () => {
  test('a later claim has been here: who slept between claim and acquire fences nobody', async ({
    partition,
  }) => {
    const { fence } = await partition.own('heir', { claim: 8 });
    expect(await partition.store.acquire(acquireRequest('sleeper', { claim: 7 }))).toEqual({
      status: 'SUPERSEDED',
      claim: 8,
      owner: 'heir',
    });
    expect(await partition.store.commit(fence, 1, '')).toMatchObject({ status: 'COMMITTED' });
  });

  test('also when the later one has been released, which leaves no owner to name', async ({ partition }) => {
    const { fence } = await partition.own('heir', { claim: 8 });
    await partition.store.release(fence);
    expect(await partition.store.acquire(acquireRequest('sleeper', { claim: 7 }))).toEqual({
      status: 'SUPERSEDED',
      claim: 8,
      owner: '',
    });
  });

  test('even its own repeated call, when it has been overtaken', async ({ partition }) => {
    await partition.own('a', { claim: 7 });
    await partition.own('heir', { claim: 8 });
    expect(await partition.store.acquire(acquireRequest('a', { claim: 7 }))).toMatchObject({
      status: 'SUPERSEDED',
    });
  });

  test('numbers are compared, not texts', async ({ partition }) => {
    await partition.own('a', { claim: 9 });
    expect((await partition.own('b', { claim: 10 })).result.status).toBe('ACQUIRED');
    expect(await partition.store.acquire(acquireRequest('a', { claim: 9, nonce: 'n' }))).toMatchObject({
      claim: 10,
    });
  });

  test('a number that a failover has given out twice does not fence who came first', async ({
    partition,
  }) => {
    const { fence } = await partition.own('heir', { claim: 8 });
    expect(await partition.store.acquire(acquireRequest('sleeper', { claim: 8 }))).toEqual({
      status: 'SUPERSEDED',
      claim: 8,
      owner: 'heir',
    });
    expect(await partition.store.commit(fence, 1, '')).toMatchObject({ status: 'COMMITTED' });
  });
});

describe('UNKNOWN_PARTITION', () => {
  test('a partition that was never created, or is deleted: nothing is made up for it', async ({
    partition,
  }) => {
    await partition.redis.del(partition.keys.state);
    expect(await partition.store.acquire(acquireRequest('a'))).toEqual({ status: 'UNKNOWN_PARTITION' });
    expect(await partition.stored()).toEqual({});
    expect(await partition.redis.exists(partition.keys.groups)).toBe(0);
  });
});

describe('epochs', () => {
  test('are at least the time of the server, so that a slot that is rolled back repeats none', async ({
    partition,
  }) => {
    const beforeMs = await partition.timeMs();
    const { result } = await partition.own('a');
    expect(result.epoch).toBeGreaterThanOrEqual(beforeMs);
    expect(result.epoch).toBeLessThanOrEqual(await partition.timeMs());
  });

  test('rise with every ownership, also within one millisecond', async ({ partition }) => {
    const epochs: number[] = [];
    for (let claim = 1; claim <= 50; claim++) {
      epochs.push((await partition.own('a', { claim, nonce: `n${claim}` })).result.epoch);
    }
    expect(epochs.every((epoch, index) => index === 0 || epoch > (epochs[index - 1] ?? 0))).toBe(true);
  });

  test('rise when the clock of the server has gone back', async ({ partition }) => {
    const aheadMs = (await partition.timeMs()) + 86_400_000;
    await partition.own('a');
    await partition.redis.hset(partition.keys.group(GROUP), 'epoch', aheadMs);
    expect((await partition.own('b', { claim: 2 })).result.epoch).toBe(aheadMs + 1);
  });

  test('are exact to the last integer that a double can tell from its neighbours', async ({ partition }) => {
    await partition.own('a');
    await partition.redis.hset(partition.keys.group(GROUP), 'epoch', String(Number.MAX_SAFE_INTEGER - 1));
    const { result, fence } = await partition.own('b', { claim: 2 });
    expect(result.epoch).toBe(Number.MAX_SAFE_INTEGER);
    expect(await partition.store.commit(fence, 1, '')).toMatchObject({ status: 'COMMITTED' });
    expect(await partition.store.commit({ ...fence, epoch: result.epoch - 1 }, 2, '')).toMatchObject({
      status: 'FENCED',
    });
  });
});
