/**
 * What a producer was told is stored of one partition, and the check whether it still is: when an acknowledgement comes
 * from another server than the ones before, and when Redis has become another server while nothing was sent.
 */
import type { Clock, DataError, PartitionStore } from '@millrace/core';
import { delay } from '../clock/delay.ts';
import { BatchTrail, type TrailEntry } from '../truncation/batch-trail.ts';
import { findTruncation } from '../truncation/find-truncation.ts';
import {
  truncatedForProducer,
  type ProducerLogTruncatedEvent,
  type TruncationPolicy,
} from '../truncation/log-truncated.ts';

export interface AcknowledgedTrailPort {
  readonly clock: Clock;
  readonly partitions: Pick<PartitionStore, 'fingerprints'>;
  /** False when nobody listens: then the next record for the partition is rejected with it. */
  onTruncated(event: ProducerLogTruncatedEvent, error: DataError): boolean;
  onTransportFailure(error: unknown, during: string): void;
  readonly policy: TruncationPolicy;
  /** Aborts when nothing is to be told any more. */
  readonly closed: AbortSignal;
}

/** What one server has acknowledged. Offsets rise within it; the next server may have given them out once more. */
interface Stretch {
  readonly server: string;
  readonly incarnation: string;
  readonly entries: readonly TrailEntry[];
}

/** The part of an append's answer that says who has stored it, and in which log. */
export interface AcknowledgedBy {
  readonly server: string;
  readonly incarnation: string;
}

const RETRY_MS = 200;

export class AcknowledgedTrail {
  readonly #topic: string;
  readonly #partition: number;
  readonly #port: AcknowledgedTrailPort;
  /** Of the server that answers now. */
  #current = new BatchTrail();
  /** Empty while nobody knows. */
  #server = '';
  /** Of the log: a topic that is deleted and created again has another one. */
  #incarnation = '';
  /**
   * Acknowledged by servers before it, and not looked for yet: the oldest first. Each is looked for by itself, or what the
   * last one has stored would hide what the one before has lost.
   */
  #former: readonly Stretch[] = [];
  #check: Promise<void> | null = null;
  /** What the next record is rejected with. */
  #refusal: DataError | null = null;
  #reports = 0;

  constructor(topic: string, partition: number, port: AcknowledgedTrailPort) {
    this.#topic = topic;
    this.#partition = partition;
    this.#port = port;
  }

  /** A log of that incarnation has a batch, says the server. */
  add(entry: TrailEntry, { server, incarnation }: AcknowledgedBy): void {
    if (this.#server !== server) {
      this.#setAside(server);
      this.#beginCheck();
    } else if (this.#incarnation !== incarnation) {
      // Deleted and created again by somebody's wish: what the old log held is not lost.
      this.#former = [];
      this.#current = new BatchTrail();
    }
    this.#incarnation = incarnation;
    this.#current.add(entry);
  }

  /** Redis has become another server. */
  suspect(): void {
    this.#setAside('');
    this.#beginCheck();
  }

  /** The log knows less of this producer than it was told. Resolves when all that was lost has been reported. */
  async verify(): Promise<void> {
    await this.#check;
    this.suspect();
    await this.#check;
  }

  /** Why a batch has to fail; null when it may be sent. Said once, and for ever with `fail`. */
  takeRefusal(): DataError | null {
    const refusal = this.#refusal;
    if (this.#port.policy === 'resume') this.#refusal = null;
    return refusal;
  }

  /** How many losses were told. */
  get reports(): number {
    return this.#reports;
  }

  #setAside(server: string): void {
    const { entries } = this.#current;
    if (entries.length > 0) {
      const stretch = { server: this.#server, incarnation: this.#incarnation, entries };
      this.#former = [...this.#former, stretch];
    }
    this.#current = new BatchTrail();
    this.#server = server;
  }

  #beginCheck(): void {
    if (this.#check !== null || this.#former.length === 0) return;
    this.#check = this.#verify().finally(() => {
      this.#check = null;
      // Set aside since the loop looked.
      if (!this.#port.closed.aborted) this.#beginCheck();
    });
  }

  async #verify(): Promise<void> {
    while (this.#former.length > 0 && !this.#port.closed.aborted) {
      try {
        if (!(await this.#look())) await delay(this.#port.clock, RETRY_MS, this.#port.closed);
      } catch (error) {
        this.#port.onTransportFailure(
          error,
          `looking whether ${this.#topic}/${this.#partition} has lost records`,
        );
        await delay(this.#port.clock, RETRY_MS, this.#port.closed);
      }
    }
  }

  /** False when another server answered than the one that acknowledges by now: this connection lags behind. */
  async #look(): Promise<boolean> {
    const [topic, partition] = [this.#topic, this.#partition];
    const [oldest] = this.#former;
    if (oldest === undefined) return true;
    const { log, truncation } = await findTruncation(oldest.entries, (nextOffsets) =>
      this.#port.partitions.fingerprints(topic, partition, nextOffsets),
    );
    if (log !== null && this.#server !== '' && log.server !== this.#server) return false;
    // Of a log that is no more.
    if (this.#former[0] !== oldest) return true;
    const [next, ...later] = this.#former.slice(1);
    this.#former = next === undefined ? [] : [next, ...later];
    if (log === null || (log.server === oldest.server && log.incarnation !== oldest.incarnation)) return true;
    const from = truncation?.from ?? Infinity;
    const kept = oldest.entries.filter(({ nextOffset }) => nextOffset <= from);
    if (next !== undefined) {
      this.#former = [{ ...next, entries: joined(kept, next.entries).entries }, ...later];
    } else {
      if (this.#server === '') this.#incarnation = log.incarnation;
      this.#server = log.server;
      this.#current = joined(kept, this.#current.entries);
    }
    if (truncation !== null) this.#tell(from, oldest.entries);
    return true;
  }

  #tell(from: number, entries: readonly TrailEntry[]): void {
    const [topic, partition] = [this.#topic, this.#partition];
    let lost = 0;
    let to = from;
    for (const { baseOffset, nextOffset } of entries) {
      if (nextOffset <= from) continue;
      lost += nextOffset - baseOffset;
      to = Math.max(to, nextOffset);
    }
    const event = { topic, partition, from, to, lost, policy: this.#port.policy };
    const error = truncatedForProducer(event);
    this.#reports++;
    const isHeard = this.#port.onTruncated(event, error);
    if (!isHeard || this.#port.policy === 'fail') this.#refusal = error;
  }
}

function joined(before: readonly TrailEntry[], after: readonly TrailEntry[]): BatchTrail {
  const trail = new BatchTrail();
  for (const entry of [...before, ...after]) trail.add(entry);
  return trail;
}
