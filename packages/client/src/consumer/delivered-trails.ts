/**
 * What this member has delivered of each partition, beyond single ownerships, and the check whether it is still there:
 * before the first delivery of an ownership where the server or the log is another than it was, and in the background
 * where the partition is somebody else's by then. Records that were delivered and are gone are told, never skipped.
 */
import {
  parsePartitionKey,
  type Clock,
  type DataError,
  type PartitionKey,
  type PartitionStore,
} from '@millrace/core';
import { delay } from '../clock/delay.ts';
import { BatchTrail } from '../truncation/batch-trail.ts';
import { findTruncation } from '../truncation/find-truncation.ts';
import {
  truncatedForConsumer,
  type ConsumerLogTruncatedEvent,
  type TruncationPolicy,
} from '../truncation/log-truncated.ts';

/** What an acquire has told of the log that its ownership begins with. */
export interface AcquiredLog {
  readonly server: string;
  readonly incarnation: string;
  readonly logEnd: number;
  readonly committed: number;
  /** What was committed before, where the log did not hold it any more. */
  readonly resetFrom: number | null;
}

export interface TrailsPort {
  readonly clock: Clock;
  readonly partitions: PartitionStore;
  onTruncated(event: ConsumerLogTruncatedEvent, error: DataError): void;
  onTransportFailure(error: unknown, during: string): void;
}

const RETRY_MS = 200;

/** Of one partition. A lane adds to it; everything else is done here. */
export class DeliveredTrail {
  readonly batches = new BatchTrail();
  /** Behind the last record that a handler was given. */
  delivered = 0;
  server: string;
  incarnation: string;
  /** It may not be what the log holds, although the server seems to be the same. */
  isSuspect = false;
  isBeingVerified = false;
  /** Told while somebody else owned the partition; by policy it has to wait when it comes back. */
  unheeded: DataError | null = null;

  constructor(server: string, incarnation: string) {
    this.server = server;
    this.incarnation = incarnation;
  }
}

export class DeliveredTrails {
  readonly #port: TrailsPort;
  readonly #group: string;
  readonly #policy: TruncationPolicy;
  readonly #trails = new Map<PartitionKey, DeliveredTrail>();
  /** One check of a partition at a time: the second one finds what the first has mended. */
  readonly #checks = new Map<PartitionKey, Promise<unknown>>();
  #isClosed = false;

  constructor(port: TrailsPort, group: string, policy: TruncationPolicy) {
    this.#port = port;
    this.#group = group;
    this.#policy = policy;
  }

  /** Where a lane writes down what it delivers. */
  trail(key: PartitionKey, { server, incarnation }: AcquiredLog): DeliveredTrail {
    const known = this.#trails.get(key);
    if (known !== undefined) return known;
    const trail = new DeliveredTrail(server, incarnation);
    this.#trails.set(key, trail);
    return trail;
  }

  /**
   * To be called before anything is delivered. Tells what was lost; answers the error that the partition has to wait with
   * when the policy says so. Throws what Redis throws: then nothing is known, and nothing may be delivered.
   */
  async verify(key: PartitionKey, acquired: AcquiredLog): Promise<DataError | null> {
    const lost = await this.#inTurn(key, () => this.#look(key, acquired));
    const { committed, resetFrom } = acquired;
    // A committed offset behind the end: log and offset roll back together, so somebody has changed one of them by hand.
    const beyond = resetFrom !== null && resetFrom > committed ? { from: committed, to: resetFrom } : null;
    if (lost === null && beyond === null) return this.#takeUnheeded(key);
    const from = Math.min(lost?.from ?? Infinity, beyond?.from ?? Infinity);
    const error = this.#tell(key, from, Math.max(lost?.to ?? 0, beyond?.to ?? 0), committed);
    return this.#policy === 'fail' ? error : null;
  }

  /** These may have lost something, whoever owns them now. */
  suspect(isAffected: (key: PartitionKey) => boolean): void {
    for (const [key, trail] of this.#trails) if (isAffected(key)) trail.isSuspect = true;
  }

  /** Looks after the suspects that nobody else is going to look after: those that this member does not get back. */
  verifyOthers(isAwaited: (key: PartitionKey) => boolean): void {
    for (const [key, trail] of this.#trails) {
      if (trail.isSuspect && !trail.isBeingVerified && !isAwaited(key)) void this.#verifyLater(key, trail);
    }
  }

  close(): void {
    this.#isClosed = true;
  }

  async #verifyLater(key: PartitionKey, trail: DeliveredTrail): Promise<void> {
    trail.isBeingVerified = true;
    while (trail.isSuspect && !this.#isClosed) {
      try {
        const lost = await this.#inTurn(key, () => (trail.isSuspect ? this.#look(key, null) : null));
        if (lost === null) continue;
        const error = this.#tell(key, lost.from, lost.to, null);
        if (this.#policy === 'fail') trail.unheeded = error;
      } catch (error) {
        this.#port.onTransportFailure(error, `looking whether ${key} has lost records`);
        await delay(this.#port.clock, RETRY_MS);
      }
    }
    trail.isBeingVerified = false;
  }

  #takeUnheeded(key: PartitionKey): DataError | null {
    const trail = this.#trails.get(key);
    const error = trail?.unheeded ?? null;
    if (trail !== undefined) trail.unheeded = null;
    return error;
  }

  /** What was delivered and is gone; afterwards the trail holds what is there, of the server that was asked. */
  async #look(key: PartitionKey, acquired: AcquiredLog | null): Promise<{ from: number; to: number } | null> {
    const trail = this.#trails.get(key);
    if (trail === undefined || (acquired !== null && !mayDiffer(trail, acquired))) return null;
    const { topic, partition } = parsePartitionKey(key);
    const { log, truncation } = await findTruncation(trail.batches.entries, (nextOffsets) =>
      this.#port.partitions.fingerprints(topic, partition, nextOffsets),
    );
    const isOtherTopic = log === null || log.incarnation !== trail.incarnation;
    const isOtherServer = log !== null && log.server !== trail.server;
    trail.isSuspect = false;
    if (log === null || (isOtherTopic && !isOtherServer)) {
      // Deleted, and perhaps created again, by somebody's wish: another topic that has the name.
      this.#trails.delete(key);
      return null;
    }
    const to = trail.delivered;
    trail.server = log.server;
    trail.incarnation = log.incarnation;
    if (truncation === null) return null;
    trail.batches.cutAt(truncation.from);
    trail.delivered = Math.min(to, truncation.from);
    return truncation.from < to ? { from: truncation.from, to } : null;
  }

  async #inTurn<T>(key: PartitionKey, work: () => Promise<T> | T): Promise<T> {
    while (this.#checks.has(key)) await this.#checks.get(key)?.catch(() => {});
    const check = Promise.resolve(work());
    this.#checks.set(key, check);
    try {
      return await check;
    } finally {
      this.#checks.delete(key);
    }
  }

  #tell(key: PartitionKey, from: number, to: number, committed: number | null): DataError {
    const { topic, partition } = parsePartitionKey(key);
    const policy = this.#policy;
    const event = { group: this.#group, topic, partition, from, to, committed, policy };
    const error = truncatedForConsumer(event);
    this.#port.onTruncated(event, error);
    return error;
  }
}

function mayDiffer(trail: DeliveredTrail, { server, incarnation, logEnd }: AcquiredLog): boolean {
  return (
    trail.isSuspect ||
    trail.server !== server ||
    trail.incarnation !== incarnation ||
    trail.batches.end > logEnd
  );
}
