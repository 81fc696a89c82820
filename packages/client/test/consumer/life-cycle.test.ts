import { describe, expect } from 'vitest';
import { eventually } from '@millrace/testkit';
import { createKeys } from '@millrace/redis';
import { ConfigError, type ConsumerOptions } from '../../src/index.ts';
import { at, failure, GROUP, test, TOPIC, values } from './consumer-fixture.ts';

const ignore = { eachRecord: () => {} };

describe('a consumer', () => {
  test('needs topics that exist; a pattern may match later', async ({ stage }) => {
    await stage.createTopic(1);
    const member = await stage.member({ topics: [TOPIC, 'nowhere'] });
    expect(await failure(member.consumer.run(ignore))).toMatchObject({
      name: 'ConfigError',
      code: 'UNKNOWN_TOPIC',
      message: expect.stringContaining('admin.createTopic("nowhere"'),
    });
    expect(await failure(member.consumer.run(ignore))).toMatchObject({ code: 'CLOSED' });
    expect(await stage.millrace.admin.listGroups()).toEqual([]);
    const { consumer } = await stage.worker({ topics: [/^later-/] });
    expect(consumer.memberId).toMatch(/^m1-/);
  });

  test('runs once, with one kind of handler', async ({ stage }) => {
    await stage.createTopic(1);
    const { consumer } = await stage.member();
    for (const handlers of [{}, { eachRecord: () => {}, eachBatch: () => {} }, { eachRecord: 'no' }]) {
      expect(await failure(consumer.run(handlers as never))).toMatchObject({
        code: 'INVALID_OPTION',
        message: expect.stringContaining('"eachRecord" and "eachBatch"'),
      });
    }
    await consumer.run(ignore);
    expect(await failure(consumer.run(ignore))).toMatchObject({
      name: 'ConfigError',
      code: 'INVALID_OPTION',
      message: 'this consumer runs already',
    });
  });

  test('that is closed says so, and closing again is nothing', async ({ stage }) => {
    await stage.createTopic(1);
    const { consumer } = await stage.worker();
    await Promise.all([consumer.close(), consumer.close()]);
    await consumer.close();
    expect(await failure(consumer.run(ignore))).toMatchObject({ name: 'ClosedError', code: 'CLOSED' });
    expect(consumer.assignment()).toEqual([]);
    expect(await failure(consumer.seek(at(0, 0)))).toMatchObject({ code: 'INVALID_OPTION' });
    const unused = await stage.member();
    await unused.consumer.close();
    expect(await failure(unused.consumer.run(ignore))).toMatchObject({ code: 'CLOSED' });
  });

  test('closed while it joins leaves nothing behind', async ({ stage }) => {
    await stage.createTopic(1);
    const { consumer } = await stage.member();
    const running = failure(consumer.run(ignore));
    await consumer.close();
    expect(await running).toMatchObject({ code: 'CLOSED' });
    const { members } = await stage.millrace.admin.describeGroup(GROUP).catch(() => ({ members: [] }));
    expect(members).toEqual([]);
  });

  test('leaves in order: the handler under way finishes, nothing is delivered twice', async ({ stage }) => {
    await stage.createTopic(3);
    for (const partition of [0, 1, 2]) await stage.sendBatch(partition, values('v', 5));
    const gate = Promise.withResolvers<void>();
    const first = await stage.worker({}, ({ record }) => (record.offset === 2 ? gate.promise : undefined));
    await first.untilDelivered(9);
    const second = await stage.worker({ topics: [TOPIC] });
    const closing = first.close();
    await eventually(async () => {
      const { members } = await stage.millrace.admin.describeGroup(GROUP);
      return members.some(({ isLeaving }) => isLeaving);
    });
    gate.resolve();
    await closing;
    await second.untilHandled(6);
    const all = [...first.handled, ...second.handled].map((entry) => `${entry.partition}:${entry.offset}`);
    expect(all.sort()).toEqual([0, 1, 2].flatMap((p) => [0, 1, 2, 3, 4].map((offset) => `${p}:${offset}`)));
    expect(first.told.lost).toEqual([]);
  });

  test('hands its lead on when it leaves', async ({ stage }) => {
    await stage.createTopic(2);
    const first = await stage.worker();
    await first.untilOwns(0, 1);
    expect(first.consumer.isLeader).toBe(true);
    const second = await stage.worker();
    await second.untilOwns(...(await eventually(() => (second.owned.length === 1 ? second.owned : null))));
    expect(second.consumer.isLeader).toBe(false);
    await first.close();
    await second.untilOwns(0, 1);
    expect(second.consumer.isLeader).toBe(true);
    expect(first.consumer.isLeader).toBe(false);
  });

  test('of another protocol is refused while the group lives', async ({ stage, ioredis }) => {
    await stage.createTopic(1);
    const old = await stage.worker();
    await old.untilOwns(0);
    const { state } = createKeys(stage.prefix).group(GROUP);
    const protocol = await ioredis.hget(state, 'protocol');
    await ioredis.hset(state, 'protocol', '999');
    const { consumer } = await stage.member();
    expect(await failure(consumer.run(ignore))).toMatchObject({
      name: 'ConfigError',
      code: 'PROTOCOL_MISMATCH',
      message: expect.stringContaining(`protocol 999, this member speaks ${protocol}`),
    });
    expect(old.owned).toEqual([0]);
    // An empty group may be taken over by any version.
    await old.close();
    const next = await stage.worker();
    await next.untilOwns(0);
  });
});

describe('options', () => {
  const cases: [ConsumerOptions, code: string, named: string][] = [
    [{ group: 'g', topics: [] }, 'INVALID_OPTION', '"topics"'],
    [{ group: 'g', topics: 'orders' as never }, 'INVALID_OPTION', '"topics"'],
    [{ group: '', topics: ['t'] }, 'INVALID_NAME', 'group'],
    [{ group: 'a/b', topics: ['t'] }, 'INVALID_NAME', 'a/b'],
    [{ group: 'g', topics: ['t'], instanceId: 'a b' }, 'INVALID_NAME', 'instance id'],
    [{ group: 'g', topics: ['t'], offsetReset: 'first' as never }, 'INVALID_OPTION', '"offsetReset"'],
    [{ group: 'g', topics: ['t'], commitMode: 'exactly' as never }, 'INVALID_OPTION', '"commitMode"'],
    [{ group: 'g', topics: ['t'], leaseMs: 299 }, 'INVALID_OPTION', '"leaseMs"'],
    [{ group: 'g', topics: ['t'], leaseMs: '10' as never }, 'INVALID_OPTION', '"leaseMs"'],
    [{ group: 'g', topics: ['t'], autoCommitIntervalMs: -1 }, 'INVALID_OPTION', '"autoCommitIntervalMs"'],
    [{ group: 'g', topics: ['t'], partitionsConsumedConcurrently: 0 }, 'INVALID_OPTION', 'Concurrently"'],
    [{ group: 'g', topics: ['t'], maxBatchRecords: NaN }, 'INVALID_OPTION', '"maxBatchRecords"'],
    [{ group: 'g', topics: ['t'], drainTimeoutMs: -5 }, 'INVALID_OPTION', '"drainTimeoutMs"'],
    [{ group: 'g', topics: ['t'], eventLoopTimeoutMs: 1 }, 'INVALID_OPTION', '"eventLoopTimeoutMs"'],
    [{ group: 'g', topics: ['t'], retry: { maxAttempts: 0 } }, 'INVALID_OPTION', '"retry.maxAttempts"'],
    [{ group: 'g', topics: ['t'], capacity: 0 }, 'INVALID_OPTION', '"capacity"'],
  ];

  test('that make no sense are refused before anything happens, by name', async ({ stage }) => {
    for (const [options, code, named] of cases) {
      const make = (): unknown => stage.millrace.consumer(options);
      expect(make).toThrow(ConfigError);
      expect(make).toThrow(expect.objectContaining({ code, message: expect.stringContaining(named) }));
    }
  });
});
