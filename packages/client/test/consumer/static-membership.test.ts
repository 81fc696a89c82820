import { closeConnection, createKeys, openConnection, RedisGroupStore } from '@millrace/redis';
import { eventually, VirtualClock } from '@millrace/testkit';
import { describe, expect } from 'vitest';
import { failure, GROUP, offsetsOf, test, values } from './consumer-fixture.ts';

describe('a static member', () => {
  test('that restarts gets its partitions back, and nothing moves', async ({ stage }) => {
    await stage.createTopic(4);
    const options = { leaseMs: 15_000 };
    const neighbour = await stage.worker(options);
    const before = await stage.worker({ ...options, instanceId: 'pod-1' });
    await eventually(() => neighbour.owned.length === 2 && before.owned.length === 2);
    const { owned } = before;
    const [kept = NaN] = neighbour.owned;
    const [mine = NaN] = owned;
    await stage.send(mine, values('v', 2));
    await before.untilHandled(2);
    const { generation } = await stage.millrace.admin.describeGroup(GROUP);
    const told = structuredClone(neighbour.told.rebalanced);

    await before.close();
    expect(before.told.revoked.flatMap(({ partitions }) => partitions)).toHaveLength(2);
    // While it is away its partitions wait for it, and the others are worked on.
    await stage.send(mine, values('w', 1));
    await stage.send(kept, values('x', 1));
    await neighbour.untilHandled(1);
    const after = await stage.worker({ ...options, instanceId: 'pod-1' });
    await after.untilHandled(1);
    expect(offsetsOf(after.delivered, mine)).toEqual([2]);
    expect(after.owned).toEqual(owned);
    expect(after.consumer.memberId).toBe('pod-1');
    expect((await stage.millrace.admin.describeGroup(GROUP)).generation).toBe(generation);
    expect(neighbour.told.rebalanced).toEqual(told);
    expect(neighbour.told.revoked.length).toBeLessThanOrEqual(1);
    expect(await stage.history('member-returned')).toHaveLength(1);
    // Its place would outlive it by the lease, and the group with it: it comes back for a shorter one.
    await after.close();
    await (await stage.worker({ instanceId: 'pod-1', leaseMs: 300 })).close();
  });

  // Found by the simulation: the deputies saw the member alive, and until the lock of its former life ran out nobody led.
  test('that led in a former life, and died, leads at once', async ({ stage }) => {
    await stage.createTopic(1);
    const config = { kind: 'single', url: stage.url, connectTimeoutMs: 5_000 } as const;
    const redis = await openConnection(config, 'command', `${stage.prefix}:former-life`);
    const former = new RedisGroupStore(redis, createKeys(stage.prefix), GROUP, new VirtualClock());
    const description = {
      host: 'h',
      pid: 1,
      subscriptions: [],
      capacity: 1,
      leaseMs: 300,
      assignor: 'sticky',
    };
    const identity = {
      memberId: 'pod-0',
      instanceId: 'pod-0',
      session: 'former',
      isLeaving: false,
      joinedAtMs: 0,
    };
    await former.join({ ...description, ...identity });
    expect(await former.tryLock(3_600_000)).toBe(true);
    expect(await former.elect('pod-0', 'former')).toBe(1);
    await closeConnection(redis);

    const heir = await stage.worker({ instanceId: 'pod-0', leaseMs: 300 });
    await heir.untilOwns(0);
    expect(heir.consumer.isLeader).toBe(true);
  });

  // Found by the simulation: members look at the generation, and whoever missed the wake-up kept the old assignment.
  test('is followed as the leader by one that raises the generation for what it finds changed', async ({
    stage,
  }) => {
    await stage.createTopic(1);
    const leader = await stage.worker({ instanceId: 'pod-0', leaseMs: 15_000 });
    await leader.untilOwns(0);
    const other = await stage.worker({ instanceId: 'pod-1', leaseMs: 300 });
    await eventually(async () => (await stage.history('assigned')).length === 2);
    await stage.millrace.admin.addPartitions('orders', 2);
    await leader.consumer.close();
    await other.untilOwns(1);
    const generations = (await stage.history('assigned')).map(({ fields }) => fields['generation']);
    expect(new Set(generations).size).toBe(generations.length);
    // Its place would outlive it by the lease, and the group with it: it comes back for a shorter one.
    await (await stage.worker({ instanceId: 'pod-0', leaseMs: 300 })).close();
  });

  test('whose id a living member holds is refused with the name of the holder', async ({ stage }) => {
    await stage.createTopic(1);
    await stage.send(0, ['a']);
    const holder = await stage.worker({ instanceId: 'pod-0', leaseMs: 1_500 });
    await holder.untilHandled(1);
    const { consumer } = await stage.member({ instanceId: 'pod-0', leaseMs: 1_500 });
    const error = await failure(consumer.run({ eachRecord: () => {} }));
    expect(error).toMatchObject({
      name: 'ConfigError',
      code: 'DUPLICATE_INSTANCE_ID',
      details: { group: GROUP, instanceId: 'pod-0', pid: process.pid },
    });
    for (const named of ['"pod-0"', GROUP, `process ${process.pid} on `])
      expect(error.message).toContain(named);
    await stage.send(0, ['b']);
    await holder.untilHandled(2);
    expect(holder.told.lost).toEqual([]);
    expect(new Set(holder.delivered.map(({ epoch }) => epoch)).size).toBe(1);
  });

  test('that stays away longer than its lease loses its place', async ({ stage }) => {
    await stage.createTopic(2);
    const neighbour = await stage.worker({ leaseMs: 600 });
    const gone = await stage.worker({ instanceId: 'pod-1', leaseMs: 600 });
    await eventually(() => neighbour.owned.length === 1 && gone.owned.length === 1);
    await gone.close();
    await neighbour.untilOwns(0, 1);
    expect((await stage.history('member-evicted')).map(({ fields }) => fields['member'])).toContain('pod-1');
  });
});
