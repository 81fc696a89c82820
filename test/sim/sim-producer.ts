/**
 * An idempotent producer: one batch of a partition at a time, sent again with its number until the answer is known.
 * The real one is not in here: it speaks to Redis past the consumer's ports.
 */
import { encodeBatch } from '@millrace/redis';
import { delay } from '../../packages/client/src/clock/delay.ts';
import { SimClock } from './sim-clock.ts';
import { SimConnection } from './sim-connection.ts';
import type { SeededRandom } from './seeded-random.ts';
import { Domain } from './simulation.ts';
import type { World } from './world.ts';

interface Lane {
  epoch: number;
  sequence: number;
  isBusy: boolean;
}

export class SimProducer {
  readonly connection: SimConnection;
  readonly #world: World;
  readonly #name: string;
  readonly #random: SeededRandom;
  readonly #clock: SimClock;
  readonly #lanes = new Map<string, Lane>();
  #epochs = 0;
  #values = 0;
  isStopped = false;

  constructor(world: World, index: number) {
    this.#world = world;
    this.#name = `producer-${index + 1}`;
    this.#random = world.random.fork(this.#name);
    const domain = new Domain(this.#name);
    this.#clock = new SimClock(world.simulation, domain, { rate: 1, originMs: 5_000, skewMs: 0 });
    this.connection = new SimConnection(
      world.simulation,
      world.redis,
      this.#random.fork('connection'),
      domain,
      this.#name,
      'command',
    );
  }

  get isIdle(): boolean {
    for (const lane of this.#lanes.values()) if (lane.isBusy) return false;
    return true;
  }

  start(): void {
    const { sendIntervalMs } = this.#world.settings;
    this.#clock.startTimer(this.#random.next() * 2 * sendIntervalMs, () => {
      if (this.isStopped) return;
      this.#sendSomewhere();
      this.start();
    });
  }

  #sendSomewhere(): void {
    const topics = [...this.#world.redis.catalogue()];
    const found = topics[this.#random.between(0, topics.length - 1)];
    if (found === undefined) return;
    const [topic, { partitions }] = found;
    const partition = this.#random.between(0, partitions - 1);
    // Whatever creation of the topic it is: two lanes under one producer id would fence each other.
    const name = `${topic}/${partition}`;
    const lane = this.#lanes.get(name) ?? { epoch: ++this.#epochs, sequence: 0, isBusy: false };
    this.#lanes.set(name, lane);
    if (!lane.isBusy) void this.#send(lane, topic, partition);
  }

  async #send(lane: Lane, topic: string, partition: number): Promise<void> {
    lane.isBusy = true;
    const count = this.#random.pick([1, 1, 2, 4]);
    const values = Array.from({ length: count }, () => `${this.#name}:${++this.#values}`);
    const batch = encodeBatch(values.map((value) => ({ value, timestampMs: 0 })));
    while (!(await this.#append(lane, topic, partition, batch, values))) {
      await delay(this.#clock, 20 + this.#random.next() * 200);
    }
    lane.isBusy = false;
  }

  /** False when the batch has to be sent again. */
  async #append(
    lane: Lane,
    topic: string,
    partition: number,
    batch: Uint8Array,
    values: readonly string[],
  ): Promise<boolean> {
    const request = {
      producerId: this.#name,
      producerEpoch: lane.epoch,
      sequence: lane.sequence,
      recordCount: values.length,
      batch,
    };
    try {
      const result = await this.connection.call('append', () =>
        this.#world.redis.append(topic, partition, request, values),
      );
      switch (result.status) {
        case 'APPENDED':
        case 'DUPLICATE':
          lane.sequence += values.length;
          return true;
        case 'UNKNOWN_PARTITION':
          return true;
        case 'TOPIC_FULL':
          return false;
        // The log went back and has forgotten this producer, or a part of what it has sent.
        case 'UNKNOWN_PRODUCER':
        case 'OUT_OF_ORDER_SEQUENCE':
        case 'PRODUCER_FENCED':
          lane.epoch = ++this.#epochs;
          lane.sequence = 0;
          return false;
        default:
          return result satisfies never;
      }
    } catch {
      return false;
    }
  }
}
