/**
 * What the driver does with a command that a cluster did not answer as expected. An INCR counts its executions: whatever
 * happens on the way, one call is executed once at most, and a call that was told "none" not at all.
 */
import {
  closeCommandConnection,
  hashSlot,
  isCluster,
  onServerChange,
  openCommandConnection,
  toMillraceError,
  type ClusterConfig,
  type CommandConnection,
} from '@millrace/redis';
import { startCluster, type ClusterTopology } from '@millrace/testkit';
import { test } from '@millrace/testkit/vitest';
import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from 'vitest';

let topology: ClusterTopology;
let command: CommandConnection;

beforeAll(async () => {
  topology = await startCluster({ replicas: 0, nodeTimeoutMs: 1_000, proxied: true });
}, 60_000);

afterAll(async () => {
  await topology.stop();
});

beforeEach(async () => {
  command = await openCommandConnection(config(), 'cluster-commands');
});

afterEach(async () => {
  await closeCommandConnection(command);
});

function config(): ClusterConfig {
  return { kind: 'cluster', seeds: topology.connection.seeds, connectTimeoutMs: 10_000 };
}

/** What is known of the call: executed, or what the error says. */
async function increment(key: string): Promise<'executed' | 'none' | 'unknown'> {
  try {
    await command.incr(key);
    return 'executed';
  } catch (error) {
    return toMillraceError(error, 'INCR').details['execution'] as 'none' | 'unknown';
  }
}

async function valueOf(key: string): Promise<number> {
  const primary = await topology.primaryOf(key);
  return Number(await primary.admin.get(key));
}

test('a client looks at the slots every five seconds, and not after it was closed', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  try {
    const other = await openCommandConnection(config(), 'slots');
    if (!isCluster(other)) throw new Error('not a cluster');
    const look = vi.spyOn(other, 'refreshSlotsCache');
    vi.advanceTimersByTime(5_000);
    expect(look).toHaveBeenCalledTimes(1);
    // In the midst of that look.
    await closeCommandConnection(other);
    vi.advanceTimersByTime(60_000);
    expect(look).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
    // The driver's own timer is set anew by a look that ends after the client was closed.
    expect(other.options.slotsRefreshInterval).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test('a command whose reply was lost is not sent again', async () => {
  const key = 'lost-reply';
  const primary = await topology.primaryOf(key);
  using drop = primary.proxy?.dropReplies({ matching: ({ name }) => name === 'INCR', outcome: 'reset' });
  expect(await increment(key)).toBe('unknown');
  expect(drop?.dropped).toBe(1);
  expect(await valueOf(key)).toBe(1);
  // The next command connects anew, and only that one is executed.
  await expect.poll(() => increment(key)).toBe('executed');
  expect(await valueOf(key)).toBe(2);
});

test('a cluster that was away as a whole is reached again, by who watches its servers too', async () => {
  const unwatch = await onServerChange(command, () => {});
  for (const mode of [
    { kind: 'reset' },
    { kind: 'halfOpen', gone: 'server' },
    { kind: 'halfOpen', gone: 'client' },
    { kind: 'blackhole', afterwards: 'reset' },
  ] as const) {
    const faults = topology.nodes.map(({ proxy }) => proxy?.apply(mode));
    const during = increment('{away}:during');
    for (const fault of faults) fault?.heal();
    await during;
    for (const key of ['{a}:again', '{b}:again', '{c}:again'])
      await expect.poll(() => increment(key), { timeout: 5_000 }).toBe('executed');
  }
  unwatch();
}, 30_000);

test('with one connection that was silent for too long, those that are idle and dead are left', async () => {
  const keys = ['{a}:idle', '{b}:idle', '{c}:idle'];
  for (const key of keys) expect(await increment(key)).toBe('executed');
  if (!isCluster(command)) throw new Error('no cluster client');
  const connected = command.nodes().filter(({ status }) => status === 'ready');
  const [silent] = connected;
  expect(connected.length).toBeGreaterThan(1);
  const holes = topology.nodes.map(({ proxy }) => proxy?.apply({ kind: 'blackhole', afterwards: 'reset' }));
  silent?.stream.destroy(new Error("Socket timeout. Expecting data, but didn't receive any in 10000ms."));
  await expect.poll(() => connected.every(({ status }) => status === 'end'), { timeout: 5_000 }).toBe(true);
  for (const hole of holes) hole?.heal();
  for (const key of keys) await expect.poll(() => increment(key), { timeout: 5_000 }).toBe('executed');
});

test('commands that follow a slot to a node wait for its connection', async () => {
  const key = '{followed}:counter';
  expect(await increment(key)).toBe('executed');
  if (!isCluster(command)) throw new Error('no cluster client');
  // The first command that is sent there opens its connection, the others find it half open.
  const unused = command.nodes().find(({ status }) => status === 'wait');
  const to = topology.nodes.find(({ announcedPort }) => announcedPort === unused?.options.port);
  if (to === undefined) throw new Error('every node is connected already');
  await topology.migrateSlot(hashSlot(key), to);
  const outcomes = await Promise.all(Array.from({ length: 5 }, () => increment(key)));
  expect(outcomes).toEqual(Array.from({ length: 5 }, () => 'executed'));
});

test('while slots move and connections break, no call is executed twice or after it was refused', async () => {
  const keys = ['{a}:counter', '{b}:counter', '{c}:counter'];
  const outcomes = new Map(keys.map((key) => [key, { executed: 0, none: 0, unknown: 0 }]));
  const end = new AbortController();
  const callers = keys.flatMap((key) => {
    const counts = outcomes.get(key);
    return Array.from({ length: 4 }, async () => {
      while (!end.signal.aborted) {
        const outcome = await increment(key);
        if (counts !== undefined) counts[outcome]++;
        // A refusal without a connection comes in the same turn: others must have theirs.
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
  });
  for (let round = 0; round < 4; round++) {
    for (const key of keys) {
      const from = await topology.primaryOf(key);
      const to = topology.nodes[(topology.nodes.indexOf(from) + 1) % topology.nodes.length];
      if (to === undefined) throw new Error('no other node');
      await topology.migrateSlot(hashSlot(key), to, { keysPerStep: 1, pauseMs: 10 });
      from.proxy?.reset();
      const drop = to.proxy?.dropReplies({ matching: ({ name }) => name === 'INCR' });
      await expect.poll(() => drop?.dropped, { timeout: 10_000 }).toBe(1);
    }
  }
  end.abort();
  await Promise.all(callers);
  for (const [key, { executed, unknown }] of outcomes) {
    const value = await valueOf(key);
    expect(value).toBeGreaterThanOrEqual(executed);
    expect(value).toBeLessThanOrEqual(executed + unknown);
    expect(executed).toBeGreaterThan(0);
  }
  const unknown = [...outcomes.values()].reduce((sum, counts) => sum + counts.unknown, 0);
  // Each of the twelve dropped replies at least.
  expect(unknown).toBeGreaterThanOrEqual(12);
}, 60_000);

test('a connection that breaks while a slot is on its way fails the call, and nothing else', async () => {
  const key = '{asked}:counter';
  const from = await topology.primaryOf(key);
  const target = topology.nodes.find((node) => node !== from);
  if (target === undefined) throw new Error('no other node');
  const slot = hashSlot(key);
  const [fromId, toId] = await Promise.all([from, target].map(({ admin }) => admin.cluster('MYID')));
  await target.admin.call('cluster', 'SETSLOT', slot, 'IMPORTING', fromId ?? '');
  await from.admin.call('cluster', 'SETSLOT', slot, 'MIGRATING', toId ?? '');
  // The driver awaits no answer to its ASKING: a rejection of it would be nobody's, and end the test run.
  const drop = target.proxy?.dropReplies({ matching: ({ name }) => name === 'ASKING', outcome: 'reset' });
  expect(await increment(key)).not.toBe('executed');
  expect(drop?.dropped).toBe(1);
  for (const { admin } of [from, target]) await admin.call('cluster', 'SETSLOT', slot, 'STABLE');
});

test('a slot that stays half moved is refused in the end, as not executed', async () => {
  const key = '{half}:here';
  const [from, to] = [await topology.primaryOf(key), topology.nodes];
  const target = to.find((node) => node !== from);
  if (target === undefined) throw new Error('no other node');
  const slot = hashSlot(key);
  const [fromId, toId] = await Promise.all([from, target].map(({ admin }) => admin.cluster('MYID')));
  await command.set(key, 1);
  await target.admin.call('cluster', 'SETSLOT', slot, 'IMPORTING', fromId ?? '');
  await from.admin.call('cluster', 'SETSLOT', slot, 'MIGRATING', toId ?? '');
  // One key here and one nowhere: TRYAGAIN, as often as it is tried.
  const refused = await command.mset(key, 2, '{half}:missing', 2).catch((error: unknown) => error);
  expect(toMillraceError(refused, 'MSET')).toMatchObject({
    code: 'REDIS_REFUSED',
    retryable: true,
    details: { execution: 'none' },
  });
  expect(await from.admin.get(key)).toBe('1');
  for (const { admin } of [from, target]) await admin.call('cluster', 'SETSLOT', slot, 'STABLE');
});
