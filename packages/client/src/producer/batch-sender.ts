/**
 * Delivers one batch after the other into a partition. A batch whose reply was lost is sent again under the same
 * producer id, epoch and sequence until it is acknowledged or given up. Given up, it may still arrive late; the next
 * one therefore carries a new epoch, and the partition refuses the late one from then on.
 */
import {
  partitionKey,
  type Clock,
  type MillraceError,
  type PartitionKey,
  type Random,
  type Timer,
} from '@millrace/core';
import { fingerprintOf, toMillraceError, type AppendResult } from '@millrace/redis';
import type { Logger } from '../logging/logger.ts';
import type { AcknowledgedTrail } from './acknowledged-trail.ts';
import type { AcknowledgedTrails } from './acknowledged-trails.ts';
import type { AppendWindow, InFlight } from './append-window.ts';
import type { Appender } from './appender.ts';
import { reactionTo, readThrownAppend, type AppendRefusal } from './append-outcome.ts';
import type { BatchPlace, PendingBatch } from './pending-batch.ts';
import type { ProducerIdentity } from './producer-identity.ts';

export interface SenderContext {
  readonly identity: ProducerIdentity;
  readonly log: Appender;
  readonly trails: AcknowledgedTrails;
  readonly clock: Clock;
  readonly random: Pick<Random, 'next'>;
  readonly logger: Logger;
  /** A newer producer of this name is at work: nothing more can be sent, anywhere. */
  fenced(error: MillraceError): void;
}

export interface SenderOwner {
  delivered(batch: PendingBatch, place: BatchPlace): void;
  failed(batch: PendingBatch, error: MillraceError): void;
  /** Why the partition is unknown; rejects when Redis cannot be asked. */
  explainUnknownPartition(): Promise<MillraceError>;
}

type StoredResult = Extract<AppendResult, { status: 'APPENDED' | 'DUPLICATE' }>;

const NO_EPOCH = -1;
const FIRST_BACKOFF_MS = 20;
const MAX_BACKOFF_MS = 1_000;

export class BatchSender {
  readonly #topic: string;
  readonly #partition: number;
  readonly #context: SenderContext;
  readonly #owner: SenderOwner;
  readonly #trail: AcknowledgedTrail;
  readonly #key: PartitionKey;

  #batch: PendingBatch | null = null;
  /** Changes with every step: what an earlier step started and comes back late finds another number. */
  #step = 0;
  #backoff: Timer | null = null;
  /** The place that the append under way takes in a window; null when it was left. */
  #inFlight: { readonly window: AppendWindow; readonly append: InFlight } | null = null;

  #epoch = NO_EPOCH;
  #needsEpoch = true;
  /** Records acknowledged in this epoch. */
  #sequence = 0;
  /** Losses that were told before this epoch: what is told since explains why the log knows less. */
  #reportsBefore = 0;

  constructor(topic: string, partition: number, context: SenderContext, owner: SenderOwner) {
    this.#topic = topic;
    this.#partition = partition;
    this.#context = context;
    this.#owner = owner;
    this.#trail = context.trails.of(topic, partition);
    this.#key = partitionKey(topic, partition);
  }

  /** The batch under way. */
  get batch(): PendingBatch | null {
    return this.#batch;
  }

  /** Only while none is under way. The owner is told what became of it. */
  deliver(batch: PendingBatch): void {
    this.#batch = batch;
    const refusal = this.#trail.takeRefusal();
    // Not at once: the owner hands over the next batch when it is told of this one.
    if (refusal !== null) queueMicrotask(() => this.#batch === batch && this.#fail(refusal));
    else this.#next();
  }

  /** Lets go of the batch under way without telling the owner; whether it was stored may never be known. */
  abandon(): void {
    this.#step++;
    this.#stopBackoff();
    this.#leaveWindow();
    if (this.#batch !== null && this.#batch.attempts > 0) this.#needsEpoch = true;
    this.#batch = null;
  }

  /** The connection is back: no reason to wait any longer. */
  retryNow(): void {
    if (this.#backoff !== null) this.#next();
  }

  #next(): void {
    this.#stopBackoff();
    const step = ++this.#step;
    if (this.#needsEpoch) this.#renewEpoch(step);
    else this.#append(step);
  }

  #renewEpoch(step: number): void {
    const renewed = (epoch: number): void => {
      if (step !== this.#step) return;
      this.#epoch = epoch;
      this.#sequence = 0;
      this.#reportsBefore = this.#trail.reports;
      this.#needsEpoch = false;
      this.#next();
    };
    const epoch = this.#context.identity.epochAbove(this.#epoch);
    if (typeof epoch === 'number') renewed(epoch);
    else
      epoch.then(renewed, (thrown: unknown) =>
        this.#onThrown(step, toMillraceError(thrown, `taking an epoch for ${this.#where}`)),
      );
  }

  #append(step: number): void {
    const batch = this.#batch;
    if (batch === null || batch.bytes === null) return;
    batch.attempts++;
    batch.isInFlight = true;
    const request = {
      topic: this.#topic,
      partition: this.#partition,
      producerId: this.#context.identity.id,
      producerEpoch: this.#epoch,
      sequence: this.#sequence,
      recordCount: batch.recordCount,
      batch: batch.bytes,
    };
    this.#enterWindow(batch.bytes.length);
    this.#context.log.append(request).then(
      (result) => {
        batch.isInFlight = false;
        if (step !== this.#step) return;
        const inFlight = this.#inFlight;
        this.#inFlight = null;
        this.#onResult(batch, result);
        // Only now: this partition's next batch may be older than those that wait.
        inFlight?.window.answered(inFlight.append, this.#context.clock.monotonicMs());
      },
      (thrown: unknown) => {
        batch.isInFlight = false;
        const { error, mayBeWritten } = readThrownAppend(thrown, `appending to ${this.#where}`);
        if (mayBeWritten) batch.mayBeWritten = true;
        if (step === this.#step) this.#leaveWindow();
        this.#onThrown(step, error);
      },
    );
  }

  /** Without waiting, which its owner has done; and what is tried again has waited long enough. */
  #enterWindow(bytes: number): void {
    const { log, clock } = this.#context;
    const window = log.windowOf(this.#topic, this.#partition);
    if (window !== null) this.#inFlight = { window, append: window.enter(bytes, clock.monotonicMs()) };
  }

  /** As soon as no answer is waited for: while one partition tries again, the others go on. */
  #leaveWindow(): void {
    const inFlight = this.#inFlight;
    this.#inFlight = null;
    inFlight?.window.leave(inFlight.append);
  }

  #onResult(batch: PendingBatch, result: AppendResult): void {
    if (result.status !== 'APPENDED' && result.status !== 'DUPLICATE') {
      this.#onRefusal(result);
      return;
    }
    this.#sequence += batch.recordCount;
    this.#batch = null;
    const { baseOffset, appendedMs } = result;
    this.#remember(batch, result);
    this.#owner.delivered(batch, { topic: this.#topic, partition: this.#partition, baseOffset, appendedMs });
  }

  #onRefusal(refusal: AppendRefusal): void {
    const [topic, partition, sequence] = [this.#topic, this.#partition, this.#sequence];
    const reaction = reactionTo(refusal, {
      topic,
      partition,
      sequence,
      producerId: this.#context.identity.id,
    });
    switch (reaction.type) {
      case 'fail':
        this.#fail(reaction.error);
        break;
      case 'fenced':
        this.#context.fenced(reaction.error);
        break;
      case 'truncated':
        this.#onTruncated(++this.#step, reaction.error);
        break;
      case 'new-epoch':
        this.#needsEpoch = true;
        this.#next();
        break;
      case 'look-up':
        this.#lookUp(++this.#step);
        break;
      default:
        reaction satisfies never;
    }
  }

  #remember({ bytes, recordCount }: PendingBatch, result: StoredResult): void {
    if (bytes === null) return;
    const { baseOffset, appendedMs } = result;
    const nextOffset = baseOffset + recordCount;
    const fingerprint = fingerprintOf({ partition: this.#key, nextOffset, appendedMs, bytes });
    this.#trail.add({ baseOffset, nextOffset, fingerprint }, result);
  }

  /** The batch was not stored. When the loss before it was told to somebody, it is sent again. */
  #onTruncated(step: number, error: MillraceError): void {
    const trail = this.#trail;
    void trail.verify().then(() => {
      if (step !== this.#step) return;
      const refusal = trail.takeRefusal();
      const wasTold = trail.reports > this.#reportsBefore;
      if (refusal !== null || !wasTold) {
        this.#fail(refusal ?? error);
        return;
      }
      this.#needsEpoch = true;
      this.#next();
    });
  }

  #lookUp(step: number): void {
    this.#owner.explainUnknownPartition().then(
      (error) => {
        if (step === this.#step) this.#fail(error);
      },
      (thrown: unknown) => this.#onThrown(step, toMillraceError(thrown, `looking up topic "${this.#topic}"`)),
    );
  }

  #onThrown(step: number, error: MillraceError): void {
    const batch = this.#batch;
    if (step !== this.#step || batch === null) return;
    batch.lastError = error;
    if (error.code === 'PRODUCER_FENCED') this.#context.fenced(error);
    else if (error.retryable) this.#backOff(batch);
    else this.#fail(error);
  }

  #backOff(batch: PendingBatch): void {
    const { clock, random, logger } = this.#context;
    const ceilingMs = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(batch.attempts, 10));
    const delayMs = ceilingMs * (0.5 + random.next() / 2);
    logger.debug(
      {
        topic: this.#topic,
        partition: this.#partition,
        code: batch.lastError?.code,
        attempts: batch.attempts,
        delayMs,
      },
      'append failed, trying again',
    );
    this.#backoff = clock.startTimer(delayMs, () => this.#next());
  }

  #fail(error: MillraceError): void {
    const batch = this.#batch;
    this.abandon();
    if (batch !== null) this.#owner.failed(batch, error);
  }

  #stopBackoff(): void {
    this.#backoff?.cancel();
    this.#backoff = null;
  }

  get #where(): string {
    return this.#key;
  }
}
