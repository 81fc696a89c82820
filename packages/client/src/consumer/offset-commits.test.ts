import type { CommitResult } from '@millrace/core';
import { VirtualClock } from '@millrace/testkit';
import { describe, expect, test } from 'vitest';
import { OffsetCommits } from './offset-commits.ts';

const INTERVAL_MS = 100;
const RETRY_MS = 200;

/** Commits whose answers the test gives, on virtual time. `sent` are offsets with the time at which they went out. */
function setUp({ committed = 0, intervalMs = INTERVAL_MS, isManual = false } = {}) {
  const clock = new VirtualClock();
  const startMs = clock.monotonicMs();
  const sent: string[] = [];
  const pending: { readonly offset: number; settle: PromiseWithResolvers<CommitResult> }[] = [];
  const refused: string[] = [];
  const failures: unknown[] = [];
  const commits = new OffsetCommits(
    {
      clock,
      commit: (offset) => {
        sent.push(`${offset} at ${clock.monotonicMs() - startMs}`);
        if (!isManual) return Promise.resolve({ status: 'COMMITTED', committed: offset });
        const settle = Promise.withResolvers<CommitResult>();
        pending.push({ offset, settle });
        return settle.promise;
      },
      onRefused: (result) => void refused.push(result.status),
      onFailure: (error) => void failures.push(error),
    },
    committed,
    intervalMs,
  );
  const next = () => {
    const call = pending.shift();
    if (call === undefined) throw new Error('no commit is under way');
    return call;
  };
  return {
    clock,
    commits,
    sent,
    pending,
    refused,
    failures,
    /** Answers the oldest commit under way. */
    answer: async (result?: CommitResult): Promise<void> => {
      const { offset, settle } = next();
      settle.resolve(result ?? { status: 'COMMITTED', committed: offset });
      await clock.advance(0);
    },
    fail: async (error = new Error('connection lost')): Promise<void> => {
      next().settle.reject(error);
      await clock.advance(0);
    },
  };
}

describe('schedule', () => {
  test('commits at once after a quiet interval, and at the end of one otherwise', async () => {
    const { clock, commits, sent } = setUp();
    commits.note(1);
    commits.schedule();
    await clock.advance(30);
    commits.note(2);
    commits.schedule();
    await clock.advance(1000);
    commits.note(3);
    commits.schedule();
    await clock.advance(0);
    expect(sent).toEqual(['1 at 0', '2 at 100', '3 at 1030']);
    expect(commits.committed).toBe(3);
    expect(clock.pendingTimers).toBe(0);
  });

  test('a handler that is fast costs one commit an interval, of the newest position', async () => {
    const { clock, commits, sent } = setUp();
    for (let offset = 1; offset <= 250; offset++) {
      commits.note(offset);
      commits.schedule();
      await clock.advance(1);
    }
    await clock.advance(INTERVAL_MS);
    expect(sent).toEqual(['1 at 0', '100 at 100', '200 at 200', '250 at 300']);
  });

  test('sends nothing when nothing is new', async () => {
    const { clock, commits, sent } = setUp({ committed: 5 });
    commits.schedule();
    commits.note(5);
    commits.schedule();
    commits.note(3);
    commits.schedule();
    await clock.advance(1000);
    expect(sent).toEqual([]);
    expect(commits.processed).toBe(5);
  });

  test('keeps one commit in flight, however long it takes, and then the interval', async () => {
    const { clock, commits, sent, pending, answer } = setUp({ isManual: true });
    for (let offset = 1; offset <= 4; offset++) {
      commits.note(offset);
      commits.schedule();
      await clock.advance(INTERVAL_MS);
    }
    expect(sent).toEqual(['1 at 0']);
    await answer();
    expect(sent).toEqual(['1 at 0', '4 at 400']);
    commits.note(5);
    await clock.advance(INTERVAL_MS - 1);
    await answer();
    expect(pending).toHaveLength(0);
    await clock.advance(1);
    expect(sent.at(-1)).toBe('5 at 500');
  });

  test('without an interval commits again as soon as one is done', async () => {
    const { commits, sent, answer, clock } = setUp({ isManual: true, intervalMs: 0 });
    commits.note(1);
    commits.schedule();
    commits.note(2);
    commits.schedule();
    await clock.advance(0);
    await answer();
    await answer();
    expect(sent).toEqual(['1 at 0', '2 at 0']);
    expect(commits.committed).toBe(2);
  });
});

describe('flush', () => {
  test('waits for the commit of everything that was noted before it', async () => {
    const { clock, commits, sent, answer } = setUp({ isManual: true });
    commits.note(1);
    commits.schedule();
    commits.note(7);
    let isFlushed = false;
    void commits.flush().then(() => (isFlushed = true));
    await clock.advance(0);
    await answer();
    expect(isFlushed).toBe(false);
    await answer();
    expect(isFlushed).toBe(true);
    expect(sent).toEqual(['1 at 0', '7 at 0']);
  });

  test('called twice sends once', async () => {
    const { clock, commits, sent, answer } = setUp({ isManual: true });
    commits.note(4);
    const both = Promise.all([commits.flush(), commits.flush()]);
    await clock.advance(0);
    await answer();
    await both;
    expect(sent).toEqual(['4 at 0']);
  });

  test('called twice while a commit is under way sends one more', async () => {
    const { clock, commits, sent, answer } = setUp({ isManual: true });
    commits.note(4);
    commits.schedule();
    commits.note(5);
    const both = Promise.all([commits.flush(), commits.flush()]);
    await clock.advance(0);
    await answer();
    await answer();
    await both;
    expect(sent).toEqual(['4 at 0', '5 at 0']);
  });

  test('with nothing new resolves at once', async () => {
    const { commits, sent } = setUp({ committed: 9 });
    await commits.flush();
    expect(sent).toEqual([]);
  });

  test('does not wait for what is noted after it', async () => {
    const { clock, commits, answer } = setUp({ isManual: true });
    commits.note(1);
    const flushed = commits.flush();
    await clock.advance(0);
    commits.note(2);
    await answer();
    await flushed;
    expect(commits.committed).toBe(1);
  });

  test('rejects when Redis cannot be reached, and the next one sends again', async () => {
    const { clock, commits, sent, failures, answer, fail } = setUp({ isManual: true });
    commits.note(3);
    const failed = commits.flush().catch((error: Error) => error.message);
    await clock.advance(0);
    await fail();
    expect(await failed).toBe('connection lost');
    expect(failures).toHaveLength(1);
    const again = commits.flush();
    await clock.advance(0);
    await answer();
    await again;
    expect(sent).toEqual(['3 at 0', '3 at 0']);
    expect(commits.committed).toBe(3);
  });

  test('that waited for a commit that failed sends its own', async () => {
    const { clock, commits, answer, fail } = setUp({ isManual: true });
    commits.note(1);
    commits.schedule();
    commits.note(2);
    const flushed = commits.flush();
    await clock.advance(0);
    await fail();
    await answer();
    await flushed;
    expect(commits.committed).toBe(2);
  });
});

describe('after a failure', () => {
  test.each([10, INTERVAL_MS, 5000])(
    'the commit is tried again by itself, with an interval of %i ms too',
    async (intervalMs) => {
      const { clock, commits, sent, failures, answer, fail } = setUp({ isManual: true, intervalMs });
      commits.note(1);
      commits.schedule();
      await clock.advance(0);
      await fail();
      await clock.advance(RETRY_MS - 1);
      expect(sent).toEqual(['1 at 0']);
      await clock.advance(1);
      expect(sent).toEqual(['1 at 0', `1 at ${RETRY_MS}`]);
      await fail();
      commits.note(8);
      await clock.advance(RETRY_MS);
      await answer();
      expect(sent.at(-1)).toBe(`8 at ${2 * RETRY_MS}`);
      expect(failures).toHaveLength(2);
      expect(commits.committed).toBe(8);
    },
  );
});

describe('what the answer says', () => {
  test('is taken over when an earlier call went further', async () => {
    const { clock, commits, sent, answer } = setUp({ isManual: true });
    commits.note(5);
    commits.schedule();
    await clock.advance(0);
    await answer({ status: 'COMMITTED', committed: 9 });
    commits.note(8);
    commits.schedule();
    await clock.advance(INTERVAL_MS);
    expect(commits.committed).toBe(9);
    expect(sent).toEqual(['5 at 0']);
  });

  test.each<CommitResult>([
    { status: 'FENCED', epoch: 7, owner: 'heir' },
    { status: 'BEYOND_END', logEnd: 3 },
  ])('$status ends it: told once, and nothing is sent any more', async (result) => {
    const { clock, commits, sent, refused, failures, answer } = setUp({ isManual: true });
    commits.note(5);
    const flushed = commits.flush();
    commits.note(6);
    await clock.advance(0);
    await answer(result);
    await flushed;
    commits.note(7);
    commits.schedule();
    await commits.flush();
    await clock.advance(1000);
    expect(refused).toEqual([result.status]);
    expect(failures).toEqual([]);
    expect(sent).toEqual(['5 at 0']);
    expect(commits.committed).toBe(0);
  });
});

describe('restart', () => {
  test('begins at the new offset, which is committed already, lower or higher', async () => {
    const { clock, commits, sent } = setUp();
    commits.note(50);
    await commits.flush();
    expect(await commits.restart(() => Promise.resolve(10))).toBe(10);
    expect([commits.processed, commits.committed]).toEqual([10, 10]);
    commits.note(11);
    await commits.flush();
    expect(sent).toEqual(['50 at 0', '11 at 0']);
    await commits.restart(() => Promise.resolve(90));
    commits.note(12);
    commits.schedule();
    await clock.advance(1000);
    expect(sent).toHaveLength(2);
  });

  test.each([0, INTERVAL_MS])(
    'has nothing of before in flight when it seeks, with an interval of %i ms',
    async (intervalMs) => {
      const { clock, commits, sent, pending, answer } = setUp({ isManual: true, intervalMs });
      commits.note(1);
      commits.schedule();
      commits.note(2);
      const inFlight: number[] = [];
      const restarted = commits.restart(() => {
        inFlight.push(pending.length);
        return Promise.resolve(0);
      });
      while (inFlight.length === 0) await answer();
      await restarted;
      await clock.advance(1000);
      expect(inFlight).toEqual([0]);
      expect([commits.processed, commits.committed]).toEqual([0, 0]);
      expect(sent.length).toBe(intervalMs === 0 ? 2 : 1);
    },
  );

  test('no commit goes out while it seeks, not even one that is flushed', async () => {
    const { clock, commits, sent } = setUp();
    const seek = Promise.withResolvers<number | null>();
    const restarted = commits.restart(() => seek.promise);
    commits.note(40);
    const flushed = commits.flush();
    commits.schedule();
    await clock.advance(1000);
    expect(sent).toEqual([]);
    seek.resolve(5);
    await Promise.all([restarted, flushed]);
    await clock.advance(1000);
    expect(sent).toEqual([]);
    expect(commits.processed).toBe(5);
  });

  test.each(['is refused', 'fails'])('that %s changes nothing, and what waited is committed', async (how) => {
    const { clock, commits, sent } = setUp();
    commits.note(1);
    commits.schedule();
    await clock.advance(10);
    commits.note(2);
    commits.schedule();
    const restarted = commits.restart(() =>
      how === 'fails' ? Promise.reject(new Error('connection lost')) : Promise.resolve(null),
    );
    expect(await restarted.catch((error: Error) => error.message)).toBe(
      how === 'fails' ? 'connection lost' : null,
    );
    expect(commits.processed).toBe(2);
    await clock.advance(INTERVAL_MS);
    expect(sent).toEqual(['1 at 0', '2 at 100']);
  });
});

describe('close', () => {
  test('stops the timer and every later commit', async () => {
    const { clock, commits, sent } = setUp();
    commits.note(1);
    commits.schedule();
    commits.note(2);
    await clock.advance(0);
    commits.schedule();
    expect(clock.pendingTimers).toBe(1);
    commits.close();
    expect(clock.pendingTimers).toBe(0);
    commits.schedule();
    await commits.flush();
    await clock.advance(1000);
    expect(sent).toEqual(['1 at 0']);
  });

  test('lets the commit under way end, and learns from it', async () => {
    const { clock, commits, answer } = setUp({ isManual: true });
    commits.note(1);
    const flushed = commits.flush();
    await clock.advance(0);
    commits.close();
    await answer();
    await flushed;
    expect(commits.committed).toBe(1);
  });
});
