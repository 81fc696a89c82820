/**
 * A group under test: members on clients of their own, what each of them was given and told, and the end of it all
 * through the product, so that a group or a topic that cannot be deleted completely fails the test.
 */
import { eventually } from '@millrace/testkit';
import { test as redisTest, type TestRedis } from '@millrace/testkit/vitest';
import {
  connect,
  ConfigError,
  type Consumer,
  type ConsumerEventName,
  type ConsumerEvents,
  type ConsumerOptions,
  type EachRecord,
  type GroupEvent,
  type Handlers,
  type Millrace,
  type TopicPartitionOffset,
} from '../../src/index.ts';

export const GROUP = 'workers';
export const TOPIC = 'orders';

export interface Delivered {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly epoch: number;
  readonly value: string | null;
}

type Told = { readonly [E in ConsumerEventName]: ConsumerEvents[E][] };
type Work = (delivery: EachRecord<Buffer | null>) => Promise<void> | void;

/** One consumer with a journal. `delivered` grows when a handler call begins, `handled` when it has returned. */
export class Member {
  readonly consumer: Consumer<string | RegExp>;
  readonly delivered: Delivered[] = [];
  readonly handled: Delivered[] = [];
  readonly told: Told = {
    assigned: [],
    revoked: [],
    lost: [],
    rebalanced: [],
    logTruncated: [],
    recordsTrimmed: [],
    error: [],
  };
  readonly #millrace: Millrace;

  constructor(millrace: Millrace, options: ConsumerOptions<string | RegExp>) {
    this.#millrace = millrace;
    this.consumer = millrace.consumer(options);
    for (const event of Object.keys(this.told) as ConsumerEventName[]) {
      this.consumer.on(event, (payload) => (this.told[event] as unknown[]).push(payload));
    }
  }

  /** Runs the consumer with a handler that keeps the journal around `work`. */
  async work(work: Work = () => {}): Promise<void> {
    await this.consumer.run({
      eachRecord: async (delivery) => {
        const { topic, partition, epoch, record } = delivery;
        const entry = { topic, partition, epoch, offset: record.offset, value: record.text() };
        this.delivered.push(entry);
        await work(delivery);
        this.handled.push(entry);
      },
    });
  }

  get codes(): string[] {
    return this.told.error.map(({ code }) => code);
  }

  /** Partition numbers owned now, of all topics, sorted. */
  get owned(): number[] {
    return this.consumer
      .assignment()
      .map(({ partition }) => partition)
      .sort((a, b) => a - b);
  }

  async untilOwns(...partitions: readonly number[]): Promise<void> {
    const wanted = partitions.join();
    await eventually(() => this.owned.join() === wanted, { what: `owning ${wanted}` });
  }

  /** Waits until `count` handler calls have returned. */
  async untilHandled(count: number): Promise<void> {
    await eventually(() => this.handled.length >= count, { what: `${count} records handled` });
  }

  async untilDelivered(count: number): Promise<void> {
    await eventually(() => this.delivered.length >= count, { what: `${count} records delivered` });
  }

  /** Closes the consumer and its client. */
  close(): Promise<void> {
    return this.#millrace.close();
  }
}

type Settings = Partial<ConsumerOptions<string | RegExp>>;

export class Stage {
  readonly url: string;
  readonly prefix: string;
  /** For the admin interface and for sending. */
  readonly millrace: Millrace;
  readonly #clients: Millrace[] = [];
  readonly #producer: ReturnType<Millrace['producer']>;

  constructor(redis: Pick<TestRedis, 'url' | 'prefix'>, millrace: Millrace) {
    this.url = redis.url;
    this.prefix = redis.prefix;
    this.millrace = millrace;
    this.#producer = millrace.producer();
  }

  static async open(redis: Pick<TestRedis, 'url' | 'prefix'>): Promise<Stage> {
    const { url, prefix } = redis;
    return new Stage(redis, await connect({ url, prefix, name: 'stage', logger: false }));
  }

  createTopic(partitions: number, topic: string = TOPIC): Promise<void> {
    return this.millrace.admin.createTopic(topic, { partitions });
  }

  /** Stores each value as a batch of its own. */
  async send(partition: number, values: readonly string[], topic: string = TOPIC): Promise<void> {
    for (const value of values) await this.#producer.send(topic, { partition, value });
  }

  /** Stores all values as one batch. */
  async sendBatch(partition: number, values: readonly string[], topic: string = TOPIC): Promise<void> {
    await this.#producer.sendBatch(
      topic,
      values.map((value) => ({ partition, value })),
    );
  }

  /** A client that is closed with the stage. */
  async client(): Promise<Millrace> {
    const { url, prefix } = this;
    const millrace = await connect({ url, prefix, name: `m${this.#clients.length}`, logger: false });
    this.#clients.push(millrace);
    return millrace;
  }

  async member(options: Settings = {}): Promise<Member> {
    return new Member(await this.client(), { group: GROUP, topics: [TOPIC], ...options });
  }

  /** A member that runs. */
  async worker(options: Settings = {}, work?: Work): Promise<Member> {
    const member = await this.member(options);
    await member.work(work);
    return member;
  }

  async run(handlers: Handlers<Buffer | null>, options: Settings = {}): Promise<Member> {
    const member = await this.member(options);
    await member.consumer.run(handlers);
    return member;
  }

  /** Committed offset of one partition; null when there is none. */
  async committed(partition: number, topic: string = TOPIC, group: string = GROUP): Promise<number | null> {
    const { partitions } = await this.millrace.admin.describeGroup(group);
    const found = partitions.find((entry) => entry.topic === topic && entry.partition === partition);
    return found?.committed ?? null;
  }

  async untilCommitted(partition: number, offset: number): Promise<void> {
    await eventually(async () => (await this.committed(partition)) === offset, {
      what: `offset ${offset} committed`,
    });
  }

  async history(type: string, group: string = GROUP): Promise<GroupEvent[]> {
    const events = await this.millrace.admin.groupEvents(group, { count: 1_000 });
    return events.filter((event) => event.type === type);
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    const { admin } = this.millrace;
    for (const { group } of await admin.listGroups()) await this.#deleteGroup(group);
    for (const { name } of await admin.listTopics()) await admin.deleteTopic(name);
    await this.millrace.close();
  }

  /** Static members stay in the group without a process: a living member finds that their lease is over. */
  async #deleteGroup(group: string): Promise<void> {
    const { admin } = this.millrace;
    if ((await admin.describeGroup(group)).members.length > 0) {
      await using client = await connect({ url: this.url, prefix: this.prefix, name: 'heir', logger: false });
      await client.consumer({ group, topics: [/^$/] }).run({ eachRecord: () => {} });
      await eventually(async () => (await admin.describeGroup(group)).members.length === 1);
    }
    await admin.deleteGroup(group);
  }
}

/** `stage`: a group under test on the shared Redis. */
export const test = redisTest.extend('stage', async ({ redis }, { onCleanup }) => {
  const stage = await Stage.open(redis);
  onCleanup(() => stage.close());
  return stage;
});

/** `prefix0`, `prefix1`, … */
export function values(prefix: string, count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${from + index}`);
}

export function at(partition: number, offset: number, topic: string = TOPIC): TopicPartitionOffset {
  return { topic, partition, offset };
}

/** The offsets that were delivered of one partition, in the order of delivery. */
export function offsetsOf(
  delivered: readonly Delivered[],
  partition: number,
  topic: string = TOPIC,
): number[] {
  return delivered
    .filter((entry) => entry.topic === topic && entry.partition === partition)
    .map(({ offset }) => offset);
}

/** What the promise fails with; fails itself when there is nothing. */
export async function failure(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => {
      throw new Error('it should have failed');
    },
    (error: unknown) => error as Error,
  );
}

export function isConfigError(error: unknown, code: string): boolean {
  return error instanceof ConfigError && error.code === code;
}
