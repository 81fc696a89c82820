/**
 * A group that works while something happens to its servers: members that write down what they were given, a producer that
 * never stops sending, and the question at the end whether every acknowledged record has come to somebody.
 */
import { eventually } from '@millrace/testkit';
import {
  connect,
  type ConnectOptions,
  type Consumer,
  type Millrace,
  type ProducerOptions,
} from '../../src/index.ts';

export const TOPIC = 'orders';
export const GROUP = 'billing';

export class GroupUnderLoad implements AsyncDisposable {
  readonly millrace: Millrace;
  readonly members: Consumer<string>[] = [];
  /** Acknowledged values. */
  readonly acked: string[] = [];
  /** How often each value was given to a handler. */
  readonly delivered = new Map<string, number>();
  /** Codes of errors that members have told, each once. */
  readonly codes = new Set<string>();
  readonly #options: ConnectOptions;
  readonly #clients: Millrace[] = [];
  #isSending = false;
  #sending: Promise<void> = Promise.resolve();
  #sent = 0;

  private constructor(options: ConnectOptions, millrace: Millrace) {
    this.#options = options;
    this.millrace = millrace;
  }

  static async start(
    options: ConnectOptions,
    { partitions, members }: { readonly partitions: number; readonly members: number },
  ): Promise<GroupUnderLoad> {
    const millrace = await connect({ ...options, name: 'stage', logger: false });
    const group = new GroupUnderLoad(options, millrace);
    await millrace.admin.createTopic(TOPIC, { partitions });
    for (let index = 0; index < members; index++) await group.addMember();
    await group.untilSpread(partitions);
    return group;
  }

  async addMember(): Promise<Consumer<string>> {
    const client = await connect({ ...this.#options, name: `m${this.#clients.length}`, logger: false });
    this.#clients.push(client);
    const member = client.consumer({ group: GROUP, topics: [TOPIC] });
    member.on('error', ({ code }) => this.codes.add(code));
    await member.run({
      eachRecord: ({ record }) => {
        const value = record.text() ?? '';
        this.delivered.set(value, (this.delivered.get(value) ?? 0) + 1);
      },
    });
    this.members.push(member);
    return member;
  }

  /** Every partition has an owner, and every member has its share. */
  async untilSpread(partitions: number): Promise<void> {
    const least = Math.floor(partitions / this.members.length);
    await eventually(
      () => {
        const counts = this.members.map((member) => member.assignment().length);
        const total = counts.reduce((sum, count) => sum + count, 0);
        return total === partitions && counts.every((count) => count >= least);
      },
      { what: 'every member owning its share' },
    );
  }

  /** Sends to all partitions in turn, one record at a time, until `settle`. A record that fails does not count. */
  beginToSend(options: ProducerOptions = {}): void {
    const producer = this.millrace.producer(options);
    this.#isSending = true;
    const lane = async (): Promise<void> => {
      while (this.#isSending) {
        const value = `v${this.#sent++}`;
        await producer.send(TOPIC, { key: value, value }).then(
          () => void this.acked.push(value),
          () => {},
        );
      }
    };
    this.#sending = Promise.all(Array.from({ length: 8 }, lane)).then(() => producer.close());
  }

  /** Waits until `count` more records have been acknowledged and handled by somebody. */
  async untilAnother(count: number): Promise<void> {
    const from = this.acked.length;
    await eventually(() => this.acked.length >= from + count, {
      what: `${count} more acknowledged`,
      timeoutMs: 30_000,
    });
    await this.untilDelivered(this.acked.slice(0, from + count));
  }

  /** Gives how many records have come more than once by now. */
  get redelivered(): number {
    return [...this.delivered.values()].filter((times) => times > 1).length;
  }

  async untilDelivered(values: readonly string[]): Promise<void> {
    await eventually(
      () => {
        const missing = values.filter((value) => !this.delivered.has(value));
        if (missing.length > 0) throw new Error(`${missing.length} of ${values.length} not delivered`);
      },
      { what: 'every acknowledged record delivered', intervalMs: 20, timeoutMs: 20_000 },
    );
  }

  /** Stops sending and waits until everything acknowledged was delivered. */
  async settle(): Promise<void> {
    this.#isSending = false;
    await this.#sending;
    await this.untilDelivered(this.acked);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isSending = false;
    await this.#sending;
    await Promise.all(this.#clients.map((client) => client.close()));
    await this.millrace.close();
  }
}
