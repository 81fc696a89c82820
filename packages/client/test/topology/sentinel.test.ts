/** A group on a primary with replicas that Sentinels watch over. */
import { inspect } from 'node:util';
import { eventually, startRedis, startSentinel, type SentinelTopology } from '@millrace/testkit';
import { afterAll, beforeAll, expect } from 'vitest';
import { test } from '@millrace/testkit/vitest';
import { connect, type SentinelOptions } from '../../src/index.ts';
import { failure } from '../client-fixture.ts';
import { GroupUnderLoad } from './group-under-load.ts';

const PASSWORD = 'hunter2';
let topology: SentinelTopology;

beforeAll(async () => {
  topology = await startSentinel({ requirepass: PASSWORD, sentinelPassword: 'hunter3' });
}, 60_000);

afterAll(async () => {
  await topology.stop();
});

function sentinel(changes: Partial<SentinelOptions> = {}): SentinelOptions {
  const { name, sentinels } = topology.connection;
  return { name, sentinels, password: PASSWORD, sentinelPassword: 'hunter3', ...changes };
}

test('a group follows its primary: when it is replaced in order, and when it is killed', async () => {
  await using group = await GroupUnderLoad.start(
    { sentinel: sentinel(), prefix: 'following' },
    { partitions: 4, members: 2 },
  );
  group.beginToSend({ acks: 'replicated' });
  await group.untilAnother(100);
  expect(group.codes).toEqual(new Set());
  await topology.failOver();
  await group.untilAnother(100);
  await topology.settle();
  const killed = await topology.primaryOf('any');
  await killed.kill();
  await group.untilAnother(100);
  await killed.restart();
  await topology.settle();
  await group.settle();
  // READONLY, connections that broke, and records that a member had read before any replica had them: those were not
  // acknowledged, and that they are gone is told.
  const expected = new Set(['REDIS_REFUSED', 'REDIS_UNREACHABLE', 'LOG_TRUNCATED']);
  expect([...group.codes].filter((code) => !expected.has(code))).toEqual([]);
}, 60_000);

test('a primary that hangs is left for its heir, and commands that wait for it are let go', async () => {
  await using client = await connect({
    sentinel: sentinel(),
    prefix: 'hanging',
    name: 'hanging',
    logger: false,
  });
  await client.admin.createTopic('orders', { partitions: 1 });
  await using producer = client.producer();
  await producer.send('orders', { value: 'before' });
  const hanging = await topology.primaryOf('any');
  await hanging.freeze();
  // Sent to the frozen server, and again to its heir; of the silence itself the driver would learn after ten seconds.
  await producer.send('orders', { value: 'after' });
  await hanging.resume();
  await topology.settle();
  expect((await client.admin.describeTopic('orders')).partitions).toMatchObject([{ logEnd: 2 }]);
  await client.admin.deleteTopic('orders');
}, 60_000);

test.each<[string, Partial<SentinelOptions>, string, string]>([
  ['of an unknown name', { name: 'other' }, 'INVALID_OPTION', 'no primary of the name "other"'],
  ['with a wrong password', { password: 'wrong' }, 'AUTHENTICATION_FAILED', 'connecting to Redis'],
  [
    'with a wrong password of the Sentinels',
    { sentinelPassword: 'wrong' },
    'AUTHENTICATION_FAILED',
    'the Sentinel at',
  ],
])('a primary %s is refused at once', async (_what, changes, code, message) => {
  const error = await failure(connect({ sentinel: sentinel(changes), connectTimeoutMs: 600_000 }));
  expect(error).toMatchObject({ name: 'ConfigError', code, message: expect.stringContaining(message) });
  expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/hunter|wrong/);
});

test('Sentinels that cannot be reached are named', async () => {
  const sentinels = ['127.0.0.1:1', '127.0.0.1:2'];
  const error = await failure(connect({ sentinel: sentinel({ sentinels }), connectTimeoutMs: 300 }));
  expect(error).toMatchObject({ code: 'REDIS_UNREACHABLE', retryable: true });
  expect(error.message).toContain('the Sentinels at 127.0.0.1:1, 127.0.0.1:2');
});

test('a server where a Sentinel was expected, and the other way round, are told apart', async () => {
  await using server = await startRedis();
  const sentinels = [{ host: server.host, port: server.port }];
  const none = await failure(connect({ sentinel: { name: 'main', sentinels } }));
  expect(none).toMatchObject({
    code: 'INVALID_OPTION',
    message: expect.stringContaining('connect({ url })'),
  });
  const [watcher] = topology.sentinels;
  const direct = await failure(connect(`redis://:hunter3@127.0.0.1:${watcher?.port}`));
  expect(direct).toMatchObject({ code: 'INVALID_OPTION', message: expect.stringContaining('sentinel: {') });
});

test('connections to Sentinels go with the client', async () => {
  const connected = async (): Promise<number> => {
    const counts = await Promise.all(
      topology.sentinels.map(async ({ admin }) => {
        const info = await admin.info('clients');
        return Number(/connected_clients:(\d+)/.exec(info)?.[1]);
      }),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  };
  const before = await connected();
  await using client = await connect({ sentinel: sentinel(), prefix: 'going', logger: false });
  await eventually(async () => (await connected()) === before + topology.sentinels.length);
  await client.close();
  await eventually(async () => (await connected()) === before);
});
