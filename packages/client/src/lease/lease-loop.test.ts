import { leaseHealth, type HeartbeatResult } from '@millrace/core';
import { VirtualClock } from '@millrace/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LeaseLoop } from './lease-loop.ts';

const LEASE_MS = 9000;
const INTERVAL_MS = 3000;
const RETRY_MS = 250;

const OK: HeartbeatResult = {
  status: 'OK',
  generation: 4,
  assignmentGeneration: 3,
  leader: { memberId: 'a', epoch: 2 },
  deputies: [],
};

/** A loop on virtual time that notes down what it does, with the time since the beginning. */
function setUp({ leaseMs = LEASE_MS, eventLoopTimeoutMs = 60_000, isManual = false } = {}) {
  const clock = new VirtualClock();
  const startMs = clock.monotonicMs();
  const log: string[] = [];
  const note = (what: string): void => void log.push(`${what} at ${clock.monotonicMs() - startMs}`);
  const pending: PromiseWithResolvers<HeartbeatResult>[] = [];
  const main = { progressMs: startMs, isStuck: false };
  let reply: HeartbeatResult | Error = OK;
  const loop = new LeaseLoop(
    {
      clock,
      heartbeat: (memberId, session) => {
        note(`beat of ${memberId} ${session}`);
        if (!isManual) return reply instanceof Error ? Promise.reject(reply) : Promise.resolve(reply);
        const call = Promise.withResolvers<HeartbeatResult>();
        pending.push(call);
        return call.promise;
      },
      noteRenewal: (sentMs) => note(`renewed as of ${sentMs - startMs}`),
      mainIdleMs: () => (main.isStuck ? clock.monotonicMs() - main.progressMs : 0),
      onView: (view) => note(`view ${view.generation}`),
      onEnd: (session, end) => note(`${session} ${end}`),
      onBlocked: (blockedMs) => note(`blocked for ${blockedMs}`),
    },
    { leaseMs, eventLoopTimeoutMs },
  );
  const next = (): PromiseWithResolvers<HeartbeatResult> => {
    const call = pending.shift();
    if (call === undefined) throw new Error('no heartbeat is under way');
    return call;
  };
  return {
    clock,
    log,
    loop,
    pending,
    /** What every heartbeat is answered from now on. */
    replyWith: (to: HeartbeatResult | Error) => void (reply = to),
    answer: async (result: HeartbeatResult = OK): Promise<void> => {
      next().resolve(result);
      await clock.advance(0);
    },
    fail: async (): Promise<void> => {
      next().reject(new Error('connection lost'));
      await clock.advance(0);
    },
    /** The main thread shows no progress any more, or does again. */
    block: (isStuck: boolean): void => {
      main.isStuck = isStuck;
      main.progressMs = clock.monotonicMs();
    },
    beats: () => log.filter((line) => line.startsWith('beat')),
  };
}

describe('a lease that is held', () => {
  test('is renewed every third of it, the first time one third after the join', async () => {
    const { clock, loop, log } = setUp();
    loop.hold('m', 's1');
    await clock.advance(2 * INTERVAL_MS);
    expect(log).toEqual([
      'beat of m s1 at 3000',
      'renewed as of 3000 at 3000',
      'view 4 at 3000',
      'beat of m s1 at 6000',
      'renewed as of 6000 at 6000',
      'view 4 at 6000',
    ]);
  });

  test('counts from when the renewal was sent, not from when its answer came', async () => {
    const { clock, loop, log, answer } = setUp({ isManual: true });
    loop.hold('m', 's1');
    await clock.advance(INTERVAL_MS + 700);
    await answer();
    expect(log).toContain('renewed as of 3000 at 3700');
    await clock.advance(INTERVAL_MS);
    expect(log.at(-1)).toBe('beat of m s1 at 6700');
  });

  test('is renewed again soon after a failure, and until one succeeds', async () => {
    const { clock, loop, beats, replyWith } = setUp();
    replyWith(new Error('connection lost'));
    loop.hold('m', 's1');
    await clock.advance(INTERVAL_MS + 2 * RETRY_MS);
    replyWith(OK);
    await clock.advance(RETRY_MS + INTERVAL_MS);
    expect(beats()).toEqual([3000, 3250, 3500, 3750, 6750].map((ms) => `beat of m s1 at ${ms}`));
  });

  test('is tried for as long as it takes: whether it is over is not the loop’s to say', async () => {
    const { clock, loop, log, beats, replyWith } = setUp();
    replyWith(new Error('connection lost'));
    loop.hold('m', 's1');
    await clock.advance(3 * LEASE_MS);
    expect(log).toEqual(beats());
    replyWith(OK);
    await clock.advance(RETRY_MS);
    expect(log.at(-1)).toMatch(/^view 4/);
  });

  test('is renewed at once when the connection is back', async () => {
    const { clock, loop, beats } = setUp();
    loop.hold('m', 's1');
    await clock.advance(1000);
    loop.onReconnect();
    await clock.advance(INTERVAL_MS);
    expect(beats()).toEqual(['beat of m s1 at 1000', 'beat of m s1 at 4000']);
  });

  test('has one renewal under way, also when the connection comes back meanwhile', async () => {
    const { clock, loop, pending, fail, answer } = setUp({ isManual: true });
    loop.hold('m', 's1');
    await clock.advance(INTERVAL_MS);
    loop.onReconnect();
    await clock.advance(INTERVAL_MS);
    expect(pending).toHaveLength(1);
    await fail();
    await clock.advance(RETRY_MS);
    await answer();
    expect(clock.pendingTimers).toBe(1);
  });
});

describe('a lease that ends', () => {
  test.each([
    ['UNKNOWN_MEMBER', 'evicted'],
    ['REPLACED', 'replaced'],
  ] as const)('with %s is %s: told once, and not renewed any more', async (status, end) => {
    const { clock, loop, log, replyWith } = setUp();
    replyWith({ status });
    loop.hold('m', 's1');
    await clock.advance(3 * LEASE_MS);
    expect(log).toEqual(['beat of m s1 at 3000', `s1 ${end} at 3000`]);
    expect(clock.pendingTimers).toBe(0);
  });

  test('can be followed by another one', async () => {
    const { clock, loop, beats, replyWith } = setUp();
    replyWith({ status: 'UNKNOWN_MEMBER' });
    loop.hold('m', 's1');
    await clock.advance(INTERVAL_MS);
    replyWith(OK);
    loop.hold('m2', 's2');
    await clock.advance(2 * INTERVAL_MS);
    expect(beats()).toEqual(['beat of m s1 at 3000', 'beat of m2 s2 at 6000', 'beat of m2 s2 at 9000']);
  });

  test('because it was dropped is silent, also when an answer comes later', async () => {
    const { clock, loop, log, answer } = setUp({ isManual: true });
    loop.hold('m', 's1');
    await clock.advance(INTERVAL_MS);
    loop.drop();
    await answer({ status: 'UNKNOWN_MEMBER' });
    expect(clock.pendingTimers).toBe(0);
    expect(log).toEqual(['beat of m s1 at 3000']);
  });

  test('and is dropped is not brought back by a reconnect', async () => {
    const { clock, loop, log } = setUp();
    loop.onReconnect();
    loop.hold('m', 's1');
    loop.drop();
    loop.onReconnect();
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(LEASE_MS);
    expect(log).toEqual([]);
  });

  test.each<HeartbeatResult>([OK, { status: 'UNKNOWN_MEMBER' }, { status: 'REPLACED' }])(
    'is not confused with its successor: a late $status speaks of the old one only',
    async (late) => {
      const { clock, loop, log, answer, beats } = setUp({ isManual: true });
      loop.hold('m', 's1');
      await clock.advance(INTERVAL_MS);
      loop.hold('m', 's2');
      await answer(late);
      expect(log).toEqual(['beat of m s1 at 3000']);
      await clock.advance(INTERVAL_MS);
      expect(beats()[1]).toMatch(/^beat of m s2/);
    },
  );
});

describe('a main thread that hangs', () => {
  test('keeps the lease for a while, and that is reported once', async () => {
    const { clock, loop, log, beats, block } = setUp({ eventLoopTimeoutMs: 30_000 });
    loop.hold('m', 's1');
    block(true);
    await clock.advance(29_000);
    expect(log.filter((line) => line.startsWith('blocked'))).toEqual(['blocked for 9000 at 9000']);
    expect(beats()).toHaveLength(9);
  });

  test('and recovers is reported again when it hangs again', async () => {
    const { clock, loop, log, block } = setUp();
    loop.hold('m', 's1');
    block(true);
    await clock.advance(12_000);
    block(false);
    await clock.advance(INTERVAL_MS);
    block(true);
    await clock.advance(12_000);
    expect(log.filter((line) => line.startsWith('blocked'))).toEqual([
      'blocked for 9000 at 9000',
      'blocked for 9000 at 24000',
    ]);
  });

  test('for too long loses the lease: it would keep its partitions from everybody', async () => {
    const { clock, loop, log, beats, block } = setUp({ eventLoopTimeoutMs: 12_000 });
    loop.hold('m', 's1');
    block(true);
    await clock.advance(60_000);
    expect(log.at(-1)).toBe('s1 event-loop-blocked at 12000');
    expect(beats()).toHaveLength(3);
    expect(clock.pendingTimers).toBe(0);
  });
});

test('one lost answer never puts the lease in doubt, however short the lease', async () => {
  const anyCase = fc.record({
    leaseMs: fc.integer({ min: 300, max: 60_000 }),
    // Every other renewal is lost at most; answers take a while.
    lost: fc.array(fc.boolean(), { minLength: 4, maxLength: 12 }),
  });
  await fc.assert(
    fc.asyncProperty(anyCase, async ({ leaseMs, lost }) => {
      const clock = new VirtualClock();
      let renewalSentMs = clock.monotonicMs();
      let isLastLost = false;
      let calls = 0;
      const loop = new LeaseLoop(
        {
          clock,
          heartbeat: () => {
            isLastLost = !isLastLost && lost[calls++ % lost.length] === true;
            return isLastLost ? Promise.reject(new Error('lost')) : Promise.resolve(OK);
          },
          noteRenewal: (sentMs) => {
            renewalSentMs = sentMs;
          },
          mainIdleMs: () => 0,
          onView: () => {},
          onEnd: () => {},
          onBlocked: () => {},
        },
        { leaseMs, eventLoopTimeoutMs: 300_000 },
      );
      loop.hold('m', 's');
      const healths = new Set<string>();
      for (let step = 0; step < 40; step++) {
        await clock.advance(leaseMs / 10);
        healths.add(leaseHealth(renewalSentMs, clock.monotonicMs(), leaseMs));
      }
      loop.drop();
      expect([...healths]).toEqual(['held']);
    }),
    { numRuns: 30 },
  );
});
