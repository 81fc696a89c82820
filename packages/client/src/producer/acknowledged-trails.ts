/**
 * What this producer was told is stored, and the check whether it still is: when an acknowledgement comes from another
 * server than the ones before, and when Redis has become another server while nothing was sent.
 */
import {
  partitionKey,
  type Clock,
  type DataError,
  type PartitionKey,
  type PartitionStore,
} from '@millrace/core';
import { delay } from '../clock/delay.ts';
import { BatchTrail, type TrailEntry } from '../truncation/batch-trail.ts';
import { findTruncation } from '../truncation/find-truncation.ts';
import {
  truncatedForProducer,
  type ProducerLogTruncatedEvent,
  type TruncationPolicy,
} from '../truncation/log-truncated.ts';

export interface AcknowledgedTrailsPort {
  readonly clock: Clock;
  readonly partitions: Pick<PartitionStore, 'fingerprints'>;
  /** False when nobody listens: then the next record for the partition is rejected with it. */
  onTruncated(event: ProducerLogTruncatedEvent, error: DataError): boolean;
  onTransportFailure(error: unknown, during: string): void;
}

/** What one server has acknowledged. Offsets rise within it; the next server may have given them out once more. */
interface Stretch {
  readonly server: string;
  readonly incarnation: string;
  readonly entries: readonly TrailEntry[];
}

interface Trail {
  readonly topic: string;
  readonly partition: number;
  /** Of the server that answers now. */
  current: BatchTrail;
  /** Empty while nobody knows. */
  server: string;
  /** Of the log: a topic that is deleted and created again has another one. */
  incarnation: string;
  /**
   * Acknowledged by servers before it, and not looked for yet: the oldest first. Each is looked for by itself, or what the
   * last one has stored would hide what the one before has lost.
   */
  former: readonly Stretch[];
  check: Promise<void> | null;
  /** What the next record is rejected with. */
  refusal: DataError | null;
  reports: number;
}

/** The part of an append's answer that says who has stored it, and in which log. */
export interface AcknowledgedBy {
  readonly server: string;
  readonly incarnation: string;
}

const RETRY_MS = 200;

export class AcknowledgedTrails {
  readonly #port: AcknowledgedTrailsPort;
  readonly #policy: TruncationPolicy;
  readonly #trails = new Map<PartitionKey, Trail>();
  readonly #closed = new AbortController();

  constructor(port: AcknowledgedTrailsPort, policy: TruncationPolicy) {
    this.#port = port;
    this.#policy = policy;
  }

  /** A log of that incarnation has a batch, says the server. */
  add(topic: string, partition: number, entry: TrailEntry, { server, incarnation }: AcknowledgedBy): void {
    const trail = this.#trail(topic, partition);
    if (trail.server !== server) {
      this.#setAside(trail, server);
      this.#beginCheck(trail);
    } else if (trail.incarnation !== incarnation) {
      // Deleted and created again by somebody's wish: what the old log held is not lost.
      trail.former = [];
      trail.current = new BatchTrail();
    }
    trail.incarnation = incarnation;
    trail.current.add(entry);
  }

  /** Redis has become another server, for these partitions. */
  suspect(isAffected: (key: PartitionKey) => boolean): void {
    for (const [key, trail] of this.#trails) {
      if (!isAffected(key)) continue;
      this.#setAside(trail, '');
      this.#beginCheck(trail);
    }
  }

  /** The log knows less of this producer than it was told. Resolves when all that was lost has been reported. */
  async verify(topic: string, partition: number): Promise<void> {
    const trail = this.#trail(topic, partition);
    await trail.check;
    this.#setAside(trail, '');
    this.#beginCheck(trail);
    await trail.check;
  }

  /** Why a batch for the partition has to fail; null when it may be sent. Said once, and for ever with `fail`. */
  takeRefusal(topic: string, partition: number): DataError | null {
    const trail = this.#trails.get(partitionKey(topic, partition));
    const refusal = trail?.refusal ?? null;
    if (trail !== undefined && this.#policy === 'resume') trail.refusal = null;
    return refusal;
  }

  /** How many losses of the partition were told. */
  reports(topic: string, partition: number): number {
    return this.#trails.get(partitionKey(topic, partition))?.reports ?? 0;
  }

  /** No further report. */
  close(): void {
    this.#closed.abort();
  }

  #trail(topic: string, partition: number): Trail {
    const key = partitionKey(topic, partition);
    let trail = this.#trails.get(key);
    if (trail === undefined) {
      trail = {
        topic,
        partition,
        current: new BatchTrail(),
        server: '',
        incarnation: '',
        former: [],
        check: null,
        refusal: null,
        reports: 0,
      };
      this.#trails.set(key, trail);
    }
    return trail;
  }

  #setAside(trail: Trail, server: string): void {
    const { entries } = trail.current;
    if (entries.length > 0) {
      const stretch = { server: trail.server, incarnation: trail.incarnation, entries };
      trail.former = [...trail.former, stretch];
    }
    trail.current = new BatchTrail();
    trail.server = server;
  }

  #beginCheck(trail: Trail): void {
    if (trail.check !== null || trail.former.length === 0) return;
    trail.check = this.#verify(trail).finally(() => {
      trail.check = null;
      // Set aside since the loop looked.
      if (!this.#closed.signal.aborted) this.#beginCheck(trail);
    });
  }

  async #verify(trail: Trail): Promise<void> {
    while (trail.former.length > 0 && !this.#closed.signal.aborted) {
      try {
        if (!(await this.#look(trail))) await delay(this.#port.clock, RETRY_MS, this.#closed.signal);
      } catch (error) {
        this.#port.onTransportFailure(
          error,
          `looking whether ${trail.topic}/${trail.partition} has lost records`,
        );
        await delay(this.#port.clock, RETRY_MS, this.#closed.signal);
      }
    }
  }

  /** False when another server answered than the one that acknowledges by now: this connection lags behind. */
  async #look(trail: Trail): Promise<boolean> {
    const { topic, partition } = trail;
    const [oldest] = trail.former;
    if (oldest === undefined) return true;
    const { log, truncation } = await findTruncation(oldest.entries, (nextOffsets) =>
      this.#port.partitions.fingerprints(topic, partition, nextOffsets),
    );
    if (log !== null && trail.server !== '' && log.server !== trail.server) return false;
    // Of a log that is no more.
    if (trail.former[0] !== oldest) return true;
    const [next, ...later] = trail.former.slice(1);
    trail.former = next === undefined ? [] : [next, ...later];
    if (log === null || (log.server === oldest.server && log.incarnation !== oldest.incarnation)) return true;
    const from = truncation?.from ?? Infinity;
    const kept = oldest.entries.filter(({ nextOffset }) => nextOffset <= from);
    if (next !== undefined) {
      trail.former = [{ ...next, entries: joined(kept, next.entries).entries }, ...later];
    } else {
      if (trail.server === '') trail.incarnation = log.incarnation;
      trail.server = log.server;
      trail.current = joined(kept, trail.current.entries);
    }
    if (truncation !== null) this.#tell(trail, from, oldest.entries);
    return true;
  }

  #tell(trail: Trail, from: number, entries: readonly TrailEntry[]): void {
    const { topic, partition } = trail;
    let lost = 0;
    let to = from;
    for (const { baseOffset, nextOffset } of entries) {
      if (nextOffset <= from) continue;
      lost += nextOffset - baseOffset;
      to = Math.max(to, nextOffset);
    }
    const event = { topic, partition, from, to, lost, policy: this.#policy };
    const error = truncatedForProducer(event);
    trail.reports++;
    const isHeard = this.#port.onTruncated(event, error);
    if (!isHeard || this.#policy === 'fail') trail.refusal = error;
  }
}

function joined(before: readonly TrailEntry[], after: readonly TrailEntry[]): BatchTrail {
  const trail = new BatchTrail();
  for (const entry of [...before, ...after]) trail.add(entry);
  return trail;
}
