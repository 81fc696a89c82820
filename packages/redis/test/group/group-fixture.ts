/** A group on a real Redis, and connections that stand for its members: what the tests of the group's scripts share. */
import { assignmentFromMembers, type Assignment, type MemberDescription } from '@millrace/core';
import {
  closeConnection,
  createKeys,
  openConnection,
  readGroupEvents,
  RedisGroupStore,
  type GroupKeys,
  type Keys,
  type RedisConnection,
} from '@millrace/redis';
import { VirtualClock } from '@millrace/testkit';
import { test as redisTest } from '@millrace/testkit/vitest';

export interface GroupFixture {
  /** As the product opens it for commands. */
  readonly redis: RedisConnection;
  readonly catalogue: Keys;
  readonly keys: GroupKeys;
  readonly store: RedisGroupStore;
  readonly clock: VirtualClock;
  /** Joins with `memberOf(memberId, overrides)` and gives what was joined with. */
  join(memberId: string, overrides?: Partial<MemberDescription>): Promise<MemberDescription>;
  /** Joins `memberId` and makes it the leader; gives its epoch. */
  lead(memberId: string): Promise<number>;
  /** Publishes for the generation as it is, which claims need. Every partition goes to `memberId`. */
  assign(leaderEpoch: number, memberId: string, ...partitions: readonly number[]): Promise<number>;
  /** Opens the presence of a member; what it gives closes it, as the death of the process would. */
  appear(memberId: string): Promise<() => Promise<void>>;
  /** Messages on the wake channel from now on, oldest first. */
  listen(): Promise<readonly string[]>;
  /** The history as text: `type field=value …`. */
  history(): Promise<string[]>;
}

export const GROUP = 'billing';

export const test = redisTest.extend<{ group: GroupFixture }>({
  group: async ({ redis: server }, use) => {
    const opened: RedisConnection[] = [];
    const open = async (role: 'command' | 'lease'): Promise<RedisConnection> => {
      const config = { url: server.url, connectTimeoutMs: 5000 };
      const connection = await openConnection(config, role, `${server.prefix}:${role}`);
      opened.push(connection);
      return connection;
    };
    const redis = await open('command');
    const catalogue = createKeys(server.prefix);
    await use(groupFixture(redis, catalogue, () => open('lease')));
    await Promise.all(opened.map((connection) => closeConnection(connection)));
    await server.clear();
  },
});

/** The same on a server that the test has started itself. */
export function groupFixture(
  redis: RedisConnection,
  catalogue: Keys,
  open: () => Promise<RedisConnection>,
): GroupFixture {
  const clock = new VirtualClock();
  const keys = catalogue.group(GROUP);
  const store = new RedisGroupStore(redis, catalogue, GROUP, clock);
  const join: GroupFixture['join'] = async (memberId, overrides) => {
    const member = memberOf(memberId, overrides);
    const result = await store.join(member);
    if (result.status !== 'JOINED') throw new Error(`${memberId} did not join: ${result.status}`);
    return member;
  };
  return {
    redis,
    catalogue,
    keys,
    store,
    clock,
    join,
    lead: async (memberId) => {
      const { session } = await join(memberId);
      const epoch = await store.elect(memberId, session);
      if (epoch === null) throw new Error(`${memberId} was not elected`);
      return epoch;
    },
    assign: async (leaderEpoch, memberId, ...partitions) => {
      const { generation } = await store.snapshot();
      const assignment = assignmentOf({ [memberId]: partitions });
      const request = {
        leaderEpoch,
        generation,
        assignment,
        incarnations: new Map(),
        deputies: [],
        moves: 0,
        orphans: new Map(),
      };
      const outcome = await store.publish(request);
      if (outcome !== 'OK') throw new Error(`not published: ${outcome}`);
      return generation;
    },
    appear: async (memberId) => {
      const connection = await open();
      await connection.ssubscribe(keys.presence(memberId));
      return () => closeConnection(connection);
    },
    listen: async () => {
      const messages: string[] = [];
      const connection = await open();
      connection.on('smessage', (_channel: string, message: string) => messages.push(message));
      await connection.ssubscribe(keys.wake);
      return messages;
    },
    history: async () => {
      const events = await readGroupEvents(redis, keys, '', 1000);
      return events.map(({ type, fields }) =>
        [type, ...Object.entries(fields).map(([field, value]) => `${field}=${value}`)].join(' '),
      );
    },
  };
}

export function memberOf(memberId: string, overrides: Partial<MemberDescription> = {}): MemberDescription {
  return {
    memberId,
    session: `session-of-${memberId}`,
    host: 'worker-1',
    pid: 4711,
    subscriptions: [{ kind: 'name', topic: 'orders' }],
    capacity: 1,
    leaseMs: 10_000,
    assignor: 'sticky',
    isLeaving: false,
    joinedAtMs: 1_700_000_000_000,
    ...overrides,
  };
}

/** Member → partitions of the topic `orders`. */
export function assignmentOf(byMember: Readonly<Record<string, readonly number[]>>): Assignment {
  return assignmentFromMembers(
    Object.entries(byMember).map(([memberId, partitions]) => [memberId, new Map([['orders', partitions]])]),
  );
}
