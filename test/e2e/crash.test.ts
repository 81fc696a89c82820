/** Real processes on real Redis: what users trust Millrace for. Nothing here measures time; `test/bench` does. */
import { connect, type Millrace } from 'millrace';
import { eventually as patiently, startProcess } from '@millrace/testkit';
import { test } from '@millrace/testkit/vitest';
import { describe, expect, vi } from 'vitest';
import {
  closeWorker,
  findDisorder,
  findLeader,
  handled,
  handledByAll,
  startWorker,
  type Worker,
} from './fleet.ts';
import type { FromStubborn, StubbornSettings, ToStubborn } from './processes/stubborn.ts';

const PARTITIONS = 8;

/** A machine that does other things as well may take its time; only what never happens is a failure. */
const TIMEOUT_MS = 40_000;
const eventually = (check: () => boolean | Promise<boolean>): Promise<unknown> =>
  patiently(check, { timeoutMs: TIMEOUT_MS });
vi.setConfig({ testTimeout: 2 * TIMEOUT_MS });

interface Group {
  readonly millrace: Millrace;
  readonly url: string;
  readonly prefix: string;
  start(
    name: string,
    more?: Partial<Parameters<typeof startWorker>[0]> & { lease?: number; instanceId?: string },
  ): Promise<Worker>;
  /** One more record in every partition; the values count up per partition. */
  feed(rounds: number): Promise<void>;
  sent(): number;
}

async function withGroup(
  { url, prefix }: { url: string; prefix: string },
  run: (group: Group) => Promise<void>,
): Promise<void> {
  const redis = { url, prefix };
  await using millrace = await connect({ ...redis, name: 'test', logger: false });
  await millrace.admin.createTopic('orders', { partitions: PARTITIONS });
  const producer = millrace.producer();
  let rounds = 0;
  await run({
    millrace,
    ...redis,
    start: (name, { lease, instanceId, ...more } = {}) =>
      startWorker({
        ...redis,
        name,
        consumer: {
          group: 'billing',
          topics: ['orders'],
          ...(lease === undefined ? {} : { leaseMs: lease }),
          ...(instanceId === undefined ? {} : { instanceId }),
        },
        ...more,
      }),
    feed: async (count) => {
      for (let round = 0; round < count; round++) {
        const records = Array.from({ length: PARTITIONS }, (_, partition) => ({
          partition,
          value: String(rounds),
        }));
        await producer.sendBatch('orders', records);
        rounds++;
      }
    },
    sent: () => rounds * PARTITIONS,
  });
  await millrace.admin.deleteTopic('orders');
  await millrace.admin.deleteGroup('billing');
}

/** Every offset of every partition was handled by somebody. */
async function allHandled(workers: readonly Worker[], sent: number): Promise<void> {
  await eventually(() => {
    const seen = new Set(handledByAll(workers).map(({ partition, offset }) => `${partition}@${offset}`));
    return seen.size === sent;
  });
}

function partitionsOf(worker: Worker): Set<number> {
  const owned = new Set<number>();
  for (const message of worker.messages) {
    if (message.type !== 'event') continue;
    const { partitions = [] } = message.detail as { partitions?: { partition: number }[] };
    for (const { partition } of partitions) {
      if (message.event === 'assigned') owned.add(partition);
      else owned.delete(partition);
    }
  }
  return owned;
}

async function balanced(workers: readonly Worker[]): Promise<void> {
  await eventually(() => {
    const sizes = workers.map((worker) => partitionsOf(worker).size);
    return sizes.reduce((a, b) => a + b, 0) === PARTITIONS && Math.max(...sizes) - Math.min(...sizes) <= 1;
  });
}

describe('a group of processes', () => {
  test('shares the partitions with a member that joins, and takes them back when it leaves', async ({
    redis,
  }) => {
    await withGroup(redis, async (group) => {
      await using a = await group.start('a');
      await group.feed(20);
      await balanced([a]);
      await using b = await group.start('b');
      await balanced([a, b]);
      await group.feed(20);
      await allHandled([a, b], group.sent());
      await closeWorker(b);
      await balanced([a]);
      await group.feed(20);
      await allHandled([a, b], group.sent());
      await closeWorker(a);

      const all = handledByAll([a, b]);
      expect(findDisorder(all)).toEqual([]);
      // Joins and leaves in order repeat nothing.
      expect(all).toHaveLength(group.sent());
    });
  });

  test('goes on from the last commit when a worker is killed', async ({ redis }) => {
    await withGroup(redis, async (group) => {
      await using a = await group.start('a');
      await using b = await group.start('b');
      await balanced([a, b]);
      await group.feed(50);
      const { followers } = await findLeader([a, b]);
      const [victim] = followers;
      const survivor = victim === a ? b : a;
      const feeding = group.feed(50);
      await victim?.signal('SIGKILL');
      await feeding;
      await allHandled([a, b], group.sent());
      await balanced([survivor]);
      expect(findDisorder(handledByAll([a, b]))).toEqual([]);
      await closeWorker(survivor);
    });
  });

  test('finds a new leader when the leader is killed, and no partition is lost with it', async ({
    redis,
  }) => {
    await withGroup(redis, async (group) => {
      await using a = await group.start('a');
      await using b = await group.start('b');
      await using c = await group.start('c');
      await balanced([a, b, c]);
      const { leader, followers } = await findLeader([a, b, c]);
      const feeding = group.feed(50);
      await leader.signal('SIGKILL');
      await feeding;
      await balanced(followers);
      await findLeader(followers);
      await allHandled([a, b, c], group.sent());
      expect(findDisorder(handledByAll([a, b, c]))).toEqual([]);
      for (const worker of followers) await closeWorker(worker);
    });
  });

  test('goes on with the next worker when the only one was killed, without waiting for its lock to expire', async ({
    redis,
  }) => {
    await withGroup(redis, async (group) => {
      await using only = await group.start('only');
      await balanced([only]);
      await group.feed(5);
      await only.signal('SIGKILL');
      await using next = await group.start('next');
      await balanced([next]);
      await allHandled([only, next], group.sent());
      expect(findDisorder(handledByAll([only, next]))).toEqual([]);
      // Nobody was left who could depose it: the newcomer did. A lock that expires leaves no such event.
      const events = await group.millrace.admin.groupEvents('billing', { count: 1_000 });
      expect(events.map(({ type }) => type)).toContain('leader-gone');
      await closeWorker(next);
    });
  });

  test('refuses the commits of a worker that was frozen for longer than its lease, and aborts its handlers', async ({
    redis,
  }) => {
    await withGroup(redis, async (group) => {
      const lease = 900;
      await using frozen = await group.start('frozen', { lease, work: { kind: 'until-aborted' } });
      await using heir = await group.start('heir', { lease });
      await balanced([frozen, heir]);
      await group.feed(1);
      const held = partitionsOf(frozen);
      await eventually(() => handled(frozen).length === held.size);
      await frozen.signal('SIGSTOP');
      await balanced([heir]);
      await eventually(() => new Set(handled(heir).map(({ partition }) => partition)).size === PARTITIONS);

      await frozen.signal('SIGCONT');
      const from = frozen.messages.length;
      const lost = await frozen.waitFor((message) => message.type === 'event' && message.event === 'lost');
      expect(lost).toMatchObject({ detail: { partitions: expect.objectContaining({ length: held.size }) } });
      await eventually(() => {
        const aborted = frozen.messages.filter((message) => message.type === 'aborted');
        return new Set(aborted.map(({ partition }) => partition)).size === held.size;
      });
      // Its handlers returned after the abort: not one of those records is committed by it, nor handled again by it
      // under the old epoch.
      const epochs = new Set(
        handled(frozen, 0)
          .slice(0, held.size)
          .map(({ epoch }) => epoch),
      );
      expect(handled(frozen, from).filter(({ epoch }) => epochs.has(epoch))).toEqual([]);
      expect(findDisorder(handledByAll([frozen, heir]))).toEqual([]);
      await closeWorker(heir);
      await frozen.signal('SIGKILL');
    });
  });

  test('refuses every commit of an owner that has been replaced, whatever that owner believes', async ({
    redis,
  }) => {
    await withGroup(redis, async (group) => {
      const settings: StubbornSettings = { ...redis, group: 'billing', topic: 'orders', leaseMs: 3_000 };
      await using heir = await group.start('heir', { lease: 3_000 });
      await group.feed(1);
      await allHandled([heir], group.sent());
      await using stubborn = await startProcess<FromStubborn, ToStubborn>({
        module: new URL('./processes/stubborn.ts', import.meta.url),
        args: [JSON.stringify(settings)],
      });
      await eventually(() => partitionsOf(heir).size === PARTITIONS / 2);
      await stubborn.send({ type: 'acquire' });
      const acquired = await stubborn.waitFor((message) => message.type === 'acquired', {
        timeoutMs: TIMEOUT_MS,
      });
      expect(acquired).toMatchObject({ partitions: PARTITIONS / 2 });

      await stubborn.signal('SIGSTOP');
      await balanced([heir]);
      await group.feed(1);
      await allHandled([heir], group.sent());
      await stubborn.signal('SIGCONT');
      await stubborn.send({ type: 'commit' });
      const commits = await stubborn.waitFor((message) => message.type === 'commits', {
        timeoutMs: TIMEOUT_MS,
      });
      expect(commits).toMatchObject({ statuses: Array.from({ length: PARTITIONS / 2 }, () => 'FENCED') });

      await closeWorker(heir);
      const { partitions } = await group.millrace.admin.describeGroup('billing');
      expect(partitions.map(({ committed }) => committed)).toEqual(
        Array.from({ length: PARTITIONS }, () => 2),
      );
    });
  });

  test('gives a static member that restarts its partitions back, and moves none', async ({ redis }) => {
    await withGroup(redis, async (group) => {
      // Longer than a process takes to start again on a busy machine: after the lease they would move.
      await using first = await group.start('first', { instanceId: 'pod-0', lease: 10_000 });
      await using other = await group.start('other', { instanceId: 'pod-1', lease: 10_000 });
      await balanced([first, other]);
      await group.feed(10);
      await allHandled([first, other], group.sent());
      const before = await group.millrace.admin.describeGroup('billing');
      const held = partitionsOf(first);
      const others = partitionsOf(other);

      await first.signal('SIGKILL');
      await using again = await group.start('again', { instanceId: 'pod-0', lease: 10_000 });
      await eventually(() => partitionsOf(again).size === held.size);
      expect(partitionsOf(again)).toEqual(held);
      expect(partitionsOf(other)).toEqual(others);
      const after = await group.millrace.admin.describeGroup('billing');
      expect(after.generation).toBe(before.generation);

      await group.feed(10);
      await allHandled([first, other, again], group.sent());
      expect(findDisorder(handledByAll([first, other, again]))).toEqual([]);
      await closeWorker(again);
      await closeWorker(other);
    });
  });

  test('keeps the partitions of a worker whose handler blocks the event loop for longer than the lease', async ({
    redis,
  }) => {
    await withGroup(redis, async (group) => {
      const lease = 600;
      await using busy = await group.start('busy', { lease, work: { kind: 'block', ms: 1_500 } });
      await using idle = await group.start('idle', { lease });
      await balanced([busy, idle]);
      const held = partitionsOf(busy);
      const [partition] = held;
      await group.millrace.producer().send('orders', { partition: partition ?? 0, value: 'slow' });
      await busy.waitFor((message) => message.type === 'error' && message.code === 'EVENT_LOOP_BLOCKED');
      expect(partitionsOf(busy)).toEqual(held);
      expect(busy.messages.some((message) => message.type === 'event' && message.event === 'lost')).toBe(
        false,
      );
      await closeWorker(busy);
      await closeWorker(idle);
    });
  });
});
