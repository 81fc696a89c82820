/** The leader lock on a real Redis, on virtual time: what redlock does not check by itself is checked here. */
import { closeConnection, type RedisConnection } from '@millrace/redis';
import { eventually, startRedis, VirtualClock } from '@millrace/testkit';
import { describe, expect } from 'vitest';
import { LeaderLock } from '../../src/group/leader-lock.ts';
import { callsOf, openTo, test as serverTest } from './own-server.ts';

const LOCK_MS = 10_000;
const KEY = 'leader-lock';

interface LockFixture {
  /** The connection of the locks, and one to look and to steer with. */
  readonly redis: RedisConnection;
  readonly admin: RedisConnection;
  readonly clock: VirtualClock;
  readonly a: LeaderLock;
  readonly b: LeaderLock;
  /** The server takes no more writes, which leaves them waiting. Gives what ends that. */
  pause(): Promise<() => Promise<unknown>>;
}

/** Two candidates for the lock. */
const test = serverTest.extend<{ locks: LockFixture }>({
  locks: async ({ open }, use) => {
    const [redis, admin] = await Promise.all([open(), open()]);
    const clock = new VirtualClock();
    await use({
      redis,
      admin,
      clock,
      a: new LeaderLock([redis], KEY, clock),
      b: new LeaderLock([redis], KEY, clock),
      pause: async () => {
        await admin.client('PAUSE', 60_000, 'WRITE');
        return () => admin.client('UNPAUSE');
      },
    });
    expect(clock.pendingTimers).toBe(0);
  },
});

describe('tryAcquire', () => {
  test('is true for one of two, until that one releases', async ({ locks: { a, b } }) => {
    expect(await a.tryAcquire(LOCK_MS)).toBe(true);
    expect(await b.tryAcquire(LOCK_MS)).toBe(false);
    await a.release();
    expect(await b.tryAcquire(LOCK_MS)).toBe(true);
    expect(await a.tryAcquire(LOCK_MS)).toBe(false);
  });

  test('is true again for the one that holds it, and lasts anew', async ({ locks: { a, b, admin } }) => {
    expect(await a.tryAcquire(LOCK_MS)).toBe(true);
    await admin.pexpire(KEY, 2_000);
    expect(await a.tryAcquire(LOCK_MS)).toBe(true);
    expect(await admin.pttl(KEY)).toBeGreaterThan(2_000);
    expect(await b.tryAcquire(LOCK_MS)).toBe(false);
    await admin.del(KEY);
    // What it held is gone: it has to win again, like everybody.
    expect(await b.tryAcquire(LOCK_MS)).toBe(true);
    expect(await a.tryAcquire(LOCK_MS)).toBe(false);
  });

  test('of many at once is true for exactly one', async ({ locks: { redis, clock } }) => {
    const candidates = Array.from({ length: 20 }, () => new LeaderLock([redis], KEY, clock));
    const results = await Promise.all(candidates.map((lock) => lock.tryAcquire(LOCK_MS)));
    expect(results.filter(Boolean)).toHaveLength(1);
  });

  test('sets the lock for as long as it was asked for', async ({ locks: { a, admin } }) => {
    await a.tryAcquire(LOCK_MS);
    expect(await admin.pttl(KEY)).toBeGreaterThan(0);
    expect(await admin.pttl(KEY)).toBeLessThanOrEqual(LOCK_MS);
  });

  test('is true again when the lock of who held it has expired', async ({ locks: { a, b } }) => {
    await a.tryAcquire(50);
    await eventually(() => b.tryAcquire(LOCK_MS));
    expect(await a.extend(LOCK_MS)).toBe(false);
  });

  test('is false for a lock that arrives with less than half of its time, and gives it back', async ({
    locks,
  }) => {
    const unpause = await locks.pause();
    const attempt = locks.a.tryAcquire(LOCK_MS);
    await locks.clock.advance(LOCK_MS / 2 + 1);
    await unpause();
    expect(await attempt).toBe(false);
    expect(await callsOf(locks.admin, 'set')).toBe(1);
    expect(await locks.admin.exists(KEY)).toBe(0);
    expect(await locks.a.extend(LOCK_MS)).toBe(false);
  });

  test('is true for one that arrives with half of its time', async ({ locks }) => {
    const unpause = await locks.pause();
    const attempt = locks.a.tryAcquire(LOCK_MS);
    await locks.clock.advance(LOCK_MS / 2);
    await unpause();
    expect(await attempt).toBe(true);
  });

  test('throws when there is no answer for as long as the lock would last; a late lock is given back', async ({
    locks,
  }) => {
    const unpause = await locks.pause();
    const attempt = locks.a.tryAcquire(LOCK_MS).catch((error: unknown) => error);
    await locks.clock.advance(LOCK_MS);
    expect(await attempt).toMatchObject({
      code: 'TIMED_OUT',
      retryable: true,
      message: `no answer for the leader lock within ${LOCK_MS} ms`,
    });
    await unpause();
    await eventually(async () => (await callsOf(locks.admin, 'del')) === 1, {
      what: 'the release of the late lock',
    });
    expect(await locks.admin.exists(KEY)).toBe(0);
    expect(await locks.a.extend(LOCK_MS)).toBe(false);
  });

  test('throws when Redis cannot be reached: that is not "somebody else leads"', async ({ locks }) => {
    await closeConnection(locks.redis);
    await expect(locks.a.tryAcquire(LOCK_MS)).rejects.toThrow('Connection is closed');
  });

  test('throws what Redis says when it refuses', async ({ locks: { a, admin } }) => {
    await admin.config('SET', 'min-replicas-to-write', 1);
    await expect(a.tryAcquire(LOCK_MS)).rejects.toThrow(/^NOREPLICAS/);
  });
});

describe('extend', () => {
  test('is true for the holder, and the lock lasts anew', async ({ locks: { a, b, admin } }) => {
    await a.tryAcquire(5000);
    expect(await a.extend(60_000)).toBe(true);
    expect(await admin.pttl(KEY)).toBeGreaterThan(5000);
    expect(await a.extend(60_000)).toBe(true);
    expect(await b.tryAcquire(LOCK_MS)).toBe(false);
  });

  test('is false for who has never held it, or has released it', async ({ locks: { a } }) => {
    expect(await a.extend(LOCK_MS)).toBe(false);
    await a.tryAcquire(LOCK_MS);
    await a.release();
    expect(await a.extend(LOCK_MS)).toBe(false);
  });

  test('is false when the lock is gone, or is somebody else’s, and stays so', async ({
    locks: { a, b, admin },
  }) => {
    await a.tryAcquire(LOCK_MS);
    await admin.del(KEY);
    await b.tryAcquire(LOCK_MS);
    const held = await admin.get(KEY);
    expect(await a.extend(LOCK_MS)).toBe(false);
    expect(await admin.get(KEY)).toBe(held);
    await admin.del(KEY);
    expect(await a.extend(LOCK_MS)).toBe(false);
    expect(await admin.exists(KEY)).toBe(0);
  });

  test('is false for one that took more than half of the time', async ({ locks }) => {
    await locks.a.tryAcquire(LOCK_MS);
    const unpause = await locks.pause();
    const extension = locks.a.extend(LOCK_MS);
    await locks.clock.advance(LOCK_MS / 2 + 1);
    await unpause();
    expect(await extension).toBe(false);
  });

  test('throws when there is no answer, and may be tried again', async ({ locks }) => {
    await locks.a.tryAcquire(LOCK_MS);
    const unpause = await locks.pause();
    const extension = locks.a.extend(LOCK_MS).catch((error: Error) => error.message);
    await locks.clock.advance(LOCK_MS);
    expect(await extension).toBe(`no answer for the leader lock within ${LOCK_MS} ms`);
    const again = locks.a.extend(LOCK_MS);
    await unpause();
    expect(await again).toBe(true);
  });

  test('that came too late to be waited for counts all the same: the next one is no loss', async ({
    locks,
  }) => {
    await locks.a.tryAcquire(LOCK_MS);
    const unpause = await locks.pause();
    const extension = locks.a.extend(LOCK_MS).catch((error: Error) => error.message);
    await locks.clock.advance(LOCK_MS);
    await extension;
    await unpause();
    await eventually(async () => (await callsOf(locks.admin, 'set')) === 2, { what: 'the late extension' });
    await locks.redis.ping();
    expect(await locks.a.extend(LOCK_MS)).toBe(true);
  });

  test('that came after the lock was given back does not bring it back', async ({ locks }) => {
    await locks.a.tryAcquire(LOCK_MS);
    const unpause = await locks.pause();
    const extension = locks.a.extend(LOCK_MS);
    const released = locks.a.release();
    await unpause();
    await Promise.all([extension, released]);
    expect(await locks.admin.exists(KEY)).toBe(0);
    expect(await locks.a.extend(LOCK_MS)).toBe(false);
  });

  test('throws when Redis refuses or is away, and the lock is kept: a leader need not give up for that', async ({
    locks,
  }) => {
    await locks.a.tryAcquire(LOCK_MS);
    await locks.admin.config('SET', 'min-replicas-to-write', 1);
    await expect(locks.a.extend(LOCK_MS)).rejects.toThrow(/^NOREPLICAS/);
    await locks.admin.config('SET', 'min-replicas-to-write', 0);
    expect(await locks.a.extend(LOCK_MS)).toBe(true);
    await closeConnection(locks.redis);
    await expect(locks.a.extend(LOCK_MS)).rejects.toThrow('Connection is closed');
  });
});

describe('release', () => {
  test('frees the lock, and is no error without one', async ({ locks: { a, admin } }) => {
    await a.release();
    await a.tryAcquire(LOCK_MS);
    await a.release();
    expect(await admin.exists(KEY)).toBe(0);
    await a.release();
  });

  test('does not free the lock of somebody else', async ({ locks: { a, b, admin } }) => {
    await a.tryAcquire(LOCK_MS);
    await admin.del(KEY);
    await b.tryAcquire(LOCK_MS);
    await a.release();
    expect(await admin.exists(KEY)).toBe(1);
    expect(await b.extend(LOCK_MS)).toBe(true);
  });

  test('is no error when Redis is away: the lock expires by itself', async ({ locks: { a, redis } }) => {
    await a.tryAcquire(LOCK_MS);
    await closeConnection(redis);
    await expect(a.release()).resolves.toBeUndefined();
  });

  test('waits one second at most', async ({ locks }) => {
    await locks.a.tryAcquire(LOCK_MS);
    const unpause = await locks.pause();
    const released = locks.a.release();
    await locks.clock.advance(1000);
    await released;
    await unpause();
  });
});

describe('deployments', () => {
  test.for([0, 2, 4])('%i are refused: half of the votes each would never settle', (count, { locks }) => {
    const clients = Array.from({ length: count }, () => locks.redis);
    expect(() => new LeaderLock(clients, KEY, locks.clock)).toThrow(RangeError);
  });

  test('three of them stand the loss of one, and two that are locked are a majority', async ({ locks }) => {
    await using second = await startRedis();
    await using third = await startRedis();
    const clients = [locks.redis, await openTo(second), await openTo(third)];
    const a = new LeaderLock(clients, KEY, locks.clock);
    const b = new LeaderLock(clients, KEY, locks.clock);
    await closeConnection(clients[2] ?? locks.redis);
    expect(await a.tryAcquire(LOCK_MS)).toBe(true);
    expect(await b.tryAcquire(LOCK_MS)).toBe(false);
    expect(await a.extend(LOCK_MS)).toBe(true);
    await closeConnection(clients[1] ?? locks.redis);
    await expect(a.extend(LOCK_MS)).rejects.toThrow('Connection is closed');
  });
});
