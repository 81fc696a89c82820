/**
 * Trims the logs of the group's topics, one partition at a time and each when something can be due there: an idle topic
 * costs a few commands a minute, and a partition that is behind is worked on in small steps until it is not. All leaders
 * of all groups of a topic do it; what one has trimmed is not there for the next.
 *
 * Which batches go is the script's matter, in the partition's own slot: what a leader knows may be old.
 */
import {
  DEFAULT_TRIM_COMMITTED_AFTER_MS,
  parsePartitionKey,
  partitionKey,
  type MillraceError,
  type PartitionKey,
  type PartitionStore,
  type TopicCatalogue,
  type TopicEntry,
  type TopicLimits,
  type TrimResult,
} from '@millrace/core';
import { toMillraceError } from '@millrace/redis';
import { DueQueue } from './due-queue.ts';
import {
  SWEEP_BEHIND_GAP_MS,
  SWEEP_BOUNDED_MS,
  SWEEP_FIRST_MS,
  SWEEP_GAP_MS,
  SWEEP_LONGEST_MS,
  SWEEP_PRESSED_FOR_MS,
  SWEEP_PRESSED_MS,
  SWEEP_SHORTEST_MS,
  SWEEP_UNDECIDED_MS,
} from './leader-settings.ts';

export interface SweepPort {
  readonly partitions: Pick<PartitionStore, 'trim'>;
  /** 0 ≤ x < 1. */
  random(): number;
  /** Told once for each topic that this user is not meant to trim: another group's leader may be. */
  onDenied(error: MillraceError): void;
}

export class Sweep {
  readonly #port: SweepPort;
  readonly #queue = new DueQueue<PartitionKey>();
  #topics: TopicCatalogue = new Map();
  /** As they were told last. */
  readonly #groups = new Map<PartitionKey, readonly string[]>();
  /** When a look last found that producers wait there, or soon will. */
  readonly #pressedMs = new Map<PartitionKey, number>();
  /** Topics by which it was refused. A user may trim one and not another. */
  readonly #denied = new Set<string>();

  constructor(port: SweepPort) {
    this.#port = port;
  }

  /** These topics from now on. One that has other limits than it had is looked at soon. */
  follow(catalogue: TopicCatalogue, nowMs: number): void {
    const topics = new Map([...catalogue].filter(([topic]) => !this.#denied.has(topic)));
    for (const [topic, before] of this.#topics) {
      const after = topics.get(topic);
      const kept = after?.incarnation === before.incarnation ? after.partitions : 0;
      for (let partition = kept; partition < before.partitions; partition++) {
        const key = partitionKey(topic, partition);
        this.#queue.delete(key);
        this.#groups.delete(key);
        this.#pressedMs.delete(key);
      }
    }
    for (const [topic, after] of topics) {
      const before = this.#topics.get(topic);
      const isSame =
        before?.incarnation === after.incarnation && before.limits?.version === after.limits?.version;
      const limits = after.limits?.limits;
      const withinMs = Math.min(isBounded(limits) ? SWEEP_PRESSED_MS : SWEEP_FIRST_MS, keepsForMs(limits));
      for (let partition = isSame ? before.partitions : 0; partition < after.partitions; partition++)
        this.#queue.set(partitionKey(topic, partition), nowMs + this.#port.random() * withinMs);
    }
    this.#topics = topics;
  }

  /** Looks at one partition where one is due. Answers after how long it wants to be called again. Throws as Redis does. */
  async step(nowMs: number): Promise<number> {
    const key = this.#queue.take(nowMs);
    if (key === undefined) return this.untilNextMs(nowMs);
    const { topic, partition } = parsePartitionKey(key);
    const entry = this.#topics.get(topic);
    if (entry === undefined) return SWEEP_GAP_MS;
    // Before the look, so that one that fails is not the last one.
    this.#queue.set(key, nowMs + SWEEP_UNDECIDED_MS);
    const { incarnation, limits = null } = entry;
    const groups = this.#groups.get(key) ?? [];
    let result: TrimResult;
    try {
      const found = await this.#port.partitions.trim({ topic, partition, incarnation, groups, limits });
      result = this.#stayPressed(key, found, nowMs);
    } catch (error) {
      this.#onFailure(error, topic, nowMs);
      return SWEEP_GAP_MS;
    }
    if (result.status === 'GROUPS_CHANGED') this.#groups.set(key, result.groups);
    const waitMs = nextLookMs(result, entry);
    // It may have been deleted meanwhile.
    if (this.#topics.get(topic)?.incarnation === incarnation) this.#queue.set(key, nowMs + waitMs);
    // Where producers wait, or soon will, a thousand partitions must not have to wait for each other as long as they do.
    const isUrgent = waitMs === 0 || (result.status === 'TRIMMED' && result.isPressed);
    return isUrgent ? SWEEP_BEHIND_GAP_MS : SWEEP_GAP_MS;
  }

  /**
   * A look takes away the sign that a producer was refused, and the producer's next try may come after the next look. The
   * log may be half empty all the same, where the batch that does not fit is large.
   */
  #stayPressed(key: PartitionKey, result: TrimResult, nowMs: number): TrimResult {
    if (result.status !== 'TRIMMED') return result;
    if (result.isPressed) this.#pressedMs.set(key, nowMs);
    else if (nowMs - (this.#pressedMs.get(key) ?? -Infinity) >= SWEEP_PRESSED_FOR_MS) {
      this.#pressedMs.delete(key);
      return result;
    }
    return { ...result, isPressed: true };
  }

  /** Throws what may pass. */
  #onFailure(thrown: unknown, topic: string, nowMs: number): void {
    const error = toMillraceError(thrown, `trimming topic "${topic}"`);
    if (error.code !== 'PERMISSION_DENIED') throw thrown;
    this.#denied.add(topic);
    this.follow(this.#topics, nowMs);
    this.#port.onDenied(error);
  }

  untilNextMs(nowMs: number): number {
    return Math.max(SWEEP_GAP_MS, Math.min(SWEEP_FIRST_MS, this.#queue.nextMs - nowMs));
  }
}

/** How long a partition is left alone. */
export function nextLookMs(result: TrimResult, entry: Pick<TopicEntry, 'limits'>): number {
  switch (result.status) {
    case 'GROUPS_CHANGED':
      return 0;
    case 'UNKNOWN_PARTITION':
    case 'OTHER_INCARNATION':
      // The catalogue will tell.
      return SWEEP_LONGEST_MS;
    case 'TRIMMED': {
      const { waitMs, isPressed } = result;
      if (waitMs === 0) return 0;
      if (isPressed) return SWEEP_PRESSED_MS;
      const limits = entry.limits?.limits;
      const longestMs = isBounded(limits) ? SWEEP_BOUNDED_MS : SWEEP_LONGEST_MS;
      const undecidedMs = Math.min(SWEEP_UNDECIDED_MS, keepsForMs(limits));
      return Math.min(longestMs, Math.max(SWEEP_SHORTEST_MS, waitMs ?? undecidedMs));
    }
    default:
      return result satisfies never;
  }
}

/** Where it is seconds, logs are looked at every few seconds. */
function keepsForMs({ trimCommittedAfterMs, maxAgeMs = Infinity }: TopicLimits = {}): number {
  const committedMs = trimCommittedAfterMs ?? DEFAULT_TRIM_COMMITTED_AFTER_MS;
  return Math.max(SWEEP_SHORTEST_MS, Math.min(committedMs === 'never' ? Infinity : committedMs, maxAgeMs));
}

/** Its producers may have to wait until something is trimmed. */
function isBounded({ maxRecords, maxBytes, onFull = 'refuse' }: TopicLimits = {}): boolean {
  return onFull === 'refuse' && (maxRecords ?? maxBytes) !== undefined;
}
