/**
 * A fetcher repeats a read without looking at its lanes while they say that nothing has changed. Whatever is done to them,
 * each blocked read must ask for exactly those that want records, each from where it stands.
 */
import { partitionKey, type PartitionStore, type StoredBatch } from '@millrace/core';
import type { ReadPosition } from '@millrace/redis';
import { VirtualClock } from '@millrace/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fetcher } from './fetcher.ts';
import { Lane, type LanePort } from './lane.ts';

const MAX_BUFFERED_BYTES = 1_048_576;
/** Entries are pieces of it: a lane looks at nothing but how long they are. */
const ZEROS = Buffer.alloc(400_000);
const LANES = 6;

type Change =
  | 'pause'
  | 'resume'
  | 'halt'
  | 'seek'
  | 'deliver'
  | 'drain'
  | 'lose'
  | 'cut off'
  | 'come'
  | 'leave'
  | 'fill'
  | 'clear';

/** Those that let a lane go on come more often. */
const CHANGES: readonly Change[] = [
  ...(['pause', 'halt', 'seek', 'drain', 'lose', 'cut off', 'leave', 'fill'] as const),
  ...(['resume', 'resume', 'deliver', 'deliver', 'come', 'come', 'clear', 'clear'] as const),
];

type Changes = readonly (readonly [lane: number, change: Change])[];

interface Step {
  /** While the read is under way. */
  readonly during: Changes;
  /** Behind it, before the next one begins. */
  readonly behind: Changes;
  /** Of each entry, by the lane that it is of. */
  readonly answer: readonly (readonly [lane: number, bytes: number])[];
}

interface Read {
  readonly positions: readonly ReadPosition[];
  readonly asked: readonly ReadPosition[];
  readonly answer: (batches: readonly StoredBatch[]) => void;
}

/** Lanes, their fetcher, and the read that it waits for. */
class Bench {
  readonly clock = new VirtualClock();
  /** How often the lanes were looked at. */
  looks = 0;
  #revision = 0;
  #isFull = false;
  #read: Read | null = null;
  /** Of a read that asked for something else than it had to. */
  #failure: { readonly error: unknown } | null = null;
  #behind: Changes = [];
  readonly #lanes: Lane[] = [];
  readonly #absent = new Set<Lane>();
  readonly #fetcher: Fetcher;

  constructor(count: number) {
    for (let partition = 0; partition < count; partition++) this.#lanes.push(this.#createLane(partition));
    this.#fetcher = new Fetcher({
      clock: {
        nowMs: () => this.clock.nowMs(),
        monotonicMs: () => this.clock.monotonicMs(),
        startTimer: (delayMs, run) => this.clock.startTimer(delayMs, run),
        nextTurn: () => {
          this.#changeBehind();
          return this.clock.nextTurn();
        },
      },
      lanes: () => {
        this.looks++;
        return this.#owned();
      },
      lanesRevision: () => this.#revision,
      read: (positions, _maxEntries, blockMs) => this.#begin(positions, blockMs),
      unblock: () => {
        this.#end([]);
        return Promise.resolve();
      },
      maxReadBytes: () => 1_048_576,
      isFull: () => this.#isFull,
      isCrowded: () => false,
      onTransportFailure: (error) => {
        this.#failure ??= { error };
      },
    });
    this.#fetcher.start();
  }

  get read(): Read | null {
    return this.#read;
  }

  async settle(): Promise<void> {
    await this.clock.advance(1);
    await this.clock.advance(1);
  }

  /** Nobody that wants records is left out for longer than it takes to end a block. */
  verify(): void {
    if (this.#failure !== null) throw this.#failure.error;
    const asked = new Map(this.#read?.positions.map(({ partition, offset }) => [partition, offset]));
    for (const lane of this.#wanting())
      // A bound that is over is told by nobody: whom it left out is asked for once it has delivered what it has.
      if (lane.bufferedBytes === 0) expect(asked.get(lane.partition)).toBe(lane.fetchPosition);
  }

  change(number: number, change: Change): void {
    const lane = this.#lanes[number];
    if (lane === undefined) throw new TypeError(`no lane ${number}`);
    switch (change) {
      case 'pause':
        return lane.pause();
      case 'resume':
        return lane.resume();
      case 'halt':
        return lane.halt(new Error('halted') as never);
      case 'seek':
        return lane.phase === 'running'
          ? lane.restartAt(lane.fetchPosition + 7, `n${lane.version}`)
          : undefined;
      case 'deliver':
        return lane.shift();
      case 'drain':
        return lane.beginDrain();
      case 'lose':
        return lane.lose('fenced');
      case 'cut off':
        return void lane.onUnreadable({ code: 'OFFSET_OUT_OF_RANGE' } as never);
      case 'come':
        return this.#come(number, lane);
      case 'leave':
        this.#absent.add(lane);
        this.#revision++;
        return;
      case 'fill':
        this.#isFull = true;
        return;
      case 'clear':
        this.#isFull = false;
        return;
      default:
        change satisfies never;
    }
  }

  /** Each entry of those that were asked for. `behind` comes once they are taken, where there is more than one. */
  answer(entries: readonly (readonly [lane: number, bytes: number])[], behind: Changes = []): void {
    this.#behind = behind;
    const read = this.#read;
    if (read === null) return;
    expect(read.positions).toEqual(read.asked);
    const next = new Map(read.positions.map(({ partition, offset }) => [partition, offset]));
    const batches: StoredBatch[] = [];
    for (const [partition, bytes] of entries) {
      const offset = next.get(partition);
      if (offset === undefined) continue;
      next.set(partition, offset + 1);
      batches.push({
        partition: partitionKey('orders', partition),
        nextOffset: offset + 1,
        appendedMs: 1,
        bytes: ZEROS.subarray(0, bytes),
      });
    }
    this.#end(batches);
  }

  async close(): Promise<void> {
    const closed = this.#fetcher.close();
    this.#end([]);
    await this.settle();
    await closed;
  }

  #changeBehind(): void {
    const changes = this.#behind;
    this.#behind = [];
    for (const [number, change] of changes) this.change(number, change);
  }

  #come(number: number, lane: Lane): void {
    if (lane.phase !== 'running') this.#lanes[number] = this.#createLane(number);
    else this.#absent.delete(lane);
    this.#revision++;
    const come = this.#lanes[number];
    if (come !== undefined) this.#fetcher.notify(come);
  }

  #owned(): Lane[] {
    return this.#lanes.filter((lane) => !this.#absent.has(lane));
  }

  #wanting(): Lane[] {
    return this.#owned().filter((lane) => lane.wantsFetch && (lane.bufferedBytes === 0 || !this.#isFull));
  }

  #begin(positions: readonly ReadPosition[], blockMs: number): Promise<readonly StoredBatch[]> {
    const wanting = new Map(this.#wanting().map((lane) => [lane.partition, lane]));
    for (const { partition, offset, atBatchStart } of positions)
      expect({ offset, atBatchStart }).toEqual({
        offset: wanting.get(partition)?.fetchPosition,
        atBatchStart: wanting.get(partition)?.isAtBatchStart,
      });
    // Beside a backlog not all are asked, and nobody waits for long.
    if (blockMs === 0) return Promise.resolve([]);
    for (const lane of wanting.values()) expect(lane.isAtEnd).toBe(true);
    expect(new Set(positions.map(({ partition }) => partition))).toEqual(new Set(wanting.keys()));
    const { promise, resolve } = Promise.withResolvers<readonly StoredBatch[]>();
    this.#read = { positions, asked: [...positions], answer: resolve };
    return promise;
  }

  #end(batches: readonly StoredBatch[]): void {
    const read = this.#read;
    this.#read = null;
    read?.answer(batches);
  }

  #createLane(partition: number): Lane {
    const partitions: Pick<PartitionStore, 'fingerprints'> = {
      fingerprints: () =>
        Promise.resolve({ logStart: 1_000_000, logEnd: 2_000_000, fingerprints: [] } as never),
    };
    const port: LanePort = {
      clock: this.clock,
      partitions: partitions as PartitionStore,
      onLost: () => {},
      onError: () => {},
      onTransportFailure: () => {},
      onWantsFetch: (lane) => this.#fetcher.notify(lane),
      onBuffered: () => {},
      onReadChange: () => {
        this.#revision++;
      },
    };
    const settings = {
      autoCommit: false,
      autoCommitIntervalMs: 1_000,
      maxBufferedBytes: MAX_BUFFERED_BYTES,
    };
    return new Lane(port, settings, {
      fence: { group: 'g', topic: 'orders', partition, epoch: 1, nonce: 'n', server: 's' },
      claim: 1,
      committed: 0,
      logEnd: 0,
      incarnation: 'i',
      trail: { batches: { end: 0, add: () => {} }, delivered: 0 } as never,
    });
  }
}

test('whatever becomes of lanes, a blocked read asks for those that want records, from where they stand', async () => {
  const lane = fc.nat(LANES - 1);
  const changes = fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    {
      weight: 1,
      arbitrary: fc.array(fc.tuple(lane, fc.constantFrom(...CHANGES)), { minLength: 1, maxLength: 3 }),
    },
  );
  const bytes = fc.oneof(fc.constant(200), fc.integer({ min: 64, max: ZEROS.length }));
  const step: fc.Arbitrary<Step> = fc.record({
    during: changes,
    behind: changes,
    answer: fc.array(fc.tuple(lane, bytes), { maxLength: 4 }),
  });
  const many = fc.array(step, { minLength: 10, maxLength: 40, size: 'max' });
  await fc.assert(
    fc.asyncProperty(many, async (steps) => {
      const bench = new Bench(LANES);
      for (const { during, behind, answer } of steps) {
        await bench.settle();
        bench.verify();
        for (const [number, change] of during) bench.change(number, change);
        bench.answer(answer, behind);
      }
      await bench.settle();
      bench.verify();
      await bench.close();
    }),
  );
});

test('a record costs no look at the lanes that it is not of', async () => {
  const bench = new Bench(LANES);
  await bench.settle();
  const { looks } = bench;
  const first = bench.read?.positions[1];
  for (let records = 0; records < 20; records++) {
    bench.answer([[2, 200]]);
    bench.change(2, 'deliver');
    await bench.settle();
  }
  expect(bench.looks).toBe(looks);
  expect(bench.read?.positions[2]?.offset).toBe(20);
  expect(bench.read?.positions[1]).toBe(first);
  await bench.close();
});

test('a lane that goes on between two reads is asked for by the second', async () => {
  const bench = new Bench(3);
  await bench.settle();
  bench.change(2, 'pause');
  bench.answer([[0, 200]]);
  await bench.settle();
  expect(bench.read?.positions).toHaveLength(2);
  bench.answer(
    [
      [0, 200],
      [1, 200],
    ],
    [[2, 'resume']],
  );
  await bench.settle();
  bench.verify();
  expect(bench.read?.positions).toHaveLength(3);
  await bench.close();
});
