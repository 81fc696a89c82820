/** What users may set, what it means, and what it is when they do not. Checked once, before anything is connected. */
import { ConfigError, parseName, stickyAssignor, type Assignor, type OffsetReset } from '@millrace/core';
import { describeValue } from '../options/describe-value.ts';
import { verifyOptionNames, type OptionNames } from '../options/verify-option-names.ts';
import type { AnyTopicDefinition, TopicSelector } from '../topic/topic-definition.ts';
import type { TruncationPolicy } from '../truncation/log-truncated.ts';
import type { RetrySettings } from './lane-worker.ts';

export interface ConsumerOptions<T extends TopicSelector = TopicSelector> {
  /** Members with one group name share the work: every partition is owned by one of them at a time. */
  readonly group: string;
  /** Topics by name, by pattern (matched again whenever topics change), or typed. */
  readonly topics: readonly T[];
  /**
   * Makes the member static (KIP-345): a restart within `leaseMs` gets its partitions back and moves none. Unique in
   * the group, stable across restarts: a StatefulSet's pod name, say.
   */
  readonly instanceId?: string;
  /** Where to begin without a committed offset. Default `earliest`: a new group misses nothing. */
  readonly offsetReset?: OffsetReset;
  /**
   * What to do when the log has lost records that this consumer was given (a failover to a replica that lagged, a
   * restart that had not persisted them): `resume` (default) tells and goes on at the committed offset, `fail` tells
   * and waits for `resume()` or `seek()`.
   */
  readonly onLogTruncated?: TruncationPolicy;
  /**
   * `at-least-once` (default): process, then commit; a crash repeats what was not committed yet.
   * `at-most-once`: commit, then process; a crash, or a handler that throws, LOSES what was being processed.
   */
  readonly commitMode?: 'at-least-once' | 'at-most-once';
  /** Default true. False: only `commit()` commits. */
  readonly autoCommit?: boolean;
  /** Shortest time between two commits of a partition, ms, and with it the window that a crash repeats. Default 100. */
  readonly autoCommitIntervalMs?: number;
  /**
   * Without a renewal for this long a member is dead, ms. Default 10,000. A killed process is found much faster, by its
   * closed connection; the lease is for frozen processes and vanished hosts.
   */
  readonly leaseMs?: number;
  /** How assignments are computed when this member leads. Default sticky. Members of a group should agree. */
  readonly assignor?: Assignor;
  /** Relative share of the work, for the weighted sticky assignor. Default 1. */
  readonly capacity?: number;
  /** Partitions that are worked on at a time in this member. Default: all it owns. */
  readonly partitionsConsumedConcurrently?: number;
  /**
   * Most records in one `eachBatch`. Default 500; one stored batch is never split. Together they take `maxBufferedBytes`,
   * uncompressed, and one stored batch more at most.
   */
  readonly maxBatchRecords?: number;
  /** Bytes fetched ahead for one partition, roughly. Default 1 MiB; all partitions together hold about 8 MiB. */
  readonly maxBufferedBytes?: number;
  /** How long a handler may go on when its partition has to be given up, ms. Then its signal aborts. Default 30,000. */
  readonly drainTimeoutMs?: number;
  /** A handler call that takes longer is reported as an `error` event, ms. Default 300,000. */
  readonly handlerTimeoutMs?: number;
  /** An event loop that stands still for longer loses the lease, ms. Default 300,000. */
  readonly eventLoopTimeoutMs?: number;
  /** How a handler that throws is called again. Default: without end, after 100 ms, doubling up to 30 s. */
  readonly retry?: Partial<RetrySettings>;
}

export interface ResolvedOptions {
  readonly group: string;
  readonly instanceId: string | undefined;
  readonly offsetReset: OffsetReset;
  readonly onLogTruncated: TruncationPolicy;
  readonly commitMode: 'at-least-once' | 'at-most-once';
  readonly autoCommit: boolean;
  readonly autoCommitIntervalMs: number;
  readonly leaseMs: number;
  readonly assignor: Assignor;
  readonly capacity: number;
  readonly partitionsConsumedConcurrently: number;
  readonly maxBatchRecords: number;
  readonly maxBufferedBytes: number;
  readonly drainTimeoutMs: number;
  readonly handlerTimeoutMs: number;
  readonly eventLoopTimeoutMs: number;
  readonly retry: RetrySettings;
}

const OPTION_NAMES: OptionNames<Required<ConsumerOptions>> = {
  group: true,
  topics: true,
  instanceId: true,
  offsetReset: true,
  onLogTruncated: true,
  commitMode: true,
  autoCommit: true,
  autoCommitIntervalMs: true,
  leaseMs: true,
  assignor: true,
  capacity: true,
  partitionsConsumedConcurrently: true,
  maxBatchRecords: true,
  maxBufferedBytes: true,
  drainTimeoutMs: true,
  handlerTimeoutMs: true,
  eventLoopTimeoutMs: true,
  retry: true,
};

const RETRY_NAMES: OptionNames<RetrySettings> = {
  maxAttempts: true,
  initialBackoffMs: true,
  maxBackoffMs: true,
};

/** Below it a heartbeat would cost more than it tells. */
const MIN_LEASE_MS = 300;
const MAX_MS = 24 * 60 * 60 * 1_000;

/** Throws `INVALID_OPTION` or `INVALID_NAME` (ConfigError). */
export function resolveOptions(options: ConsumerOptions): ResolvedOptions {
  verifyOptionNames('consumer option', options, OPTION_NAMES);
  const { retry = {} } = options;
  verifyOptionNames('consumer option', retry, RETRY_NAMES, 'retry');
  verifyTopics(options.topics);
  const commitMode = oneOf(
    'commitMode',
    options.commitMode,
    ['at-least-once', 'at-most-once'],
    'at-least-once',
  );
  const { autoCommit = true, assignor = stickyAssignor } = options;
  // Text, "false" of the environment say, would commit all the same.
  if (typeof autoCommit !== 'boolean') throw invalid('autoCommit', 'true or false', autoCommit);
  if (!isAssignor(assignor))
    throw invalid('assignor', 'an object with a name and the function assign', assignor);
  return {
    group: parseName('group', options.group),
    instanceId: options.instanceId === undefined ? undefined : parseName('instance id', options.instanceId),
    offsetReset: oneOf('offsetReset', options.offsetReset, ['earliest', 'latest', 'fail'], 'earliest'),
    onLogTruncated: oneOf('onLogTruncated', options.onLogTruncated, ['resume', 'fail'], 'resume'),
    commitMode,
    // Committing before delivery is what at-most-once means; it cannot be left to the handler.
    autoCommit: commitMode === 'at-most-once' || autoCommit,
    autoCommitIntervalMs: between('autoCommitIntervalMs', options.autoCommitIntervalMs, 0, MAX_MS, 100),
    leaseMs: between('leaseMs', options.leaseMs, MIN_LEASE_MS, MAX_MS, 10_000),
    assignor,
    capacity: between('capacity', options.capacity, Number.MIN_VALUE, Number.MAX_SAFE_INTEGER, 1),
    partitionsConsumedConcurrently: between(
      'partitionsConsumedConcurrently',
      options.partitionsConsumedConcurrently,
      1,
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ),
    maxBatchRecords: between('maxBatchRecords', options.maxBatchRecords, 1, 1_000_000, 500),
    maxBufferedBytes: between('maxBufferedBytes', options.maxBufferedBytes, 1, 2 ** 31, 1_048_576),
    drainTimeoutMs: between('drainTimeoutMs', options.drainTimeoutMs, 0, MAX_MS, 30_000),
    handlerTimeoutMs: between('handlerTimeoutMs', options.handlerTimeoutMs, 1, MAX_MS, 300_000),
    eventLoopTimeoutMs: between(
      'eventLoopTimeoutMs',
      options.eventLoopTimeoutMs,
      MIN_LEASE_MS,
      MAX_MS,
      300_000,
    ),
    retry: {
      maxAttempts: between(
        'retry.maxAttempts',
        retry.maxAttempts,
        1,
        Number.POSITIVE_INFINITY,
        Number.POSITIVE_INFINITY,
      ),
      initialBackoffMs: between('retry.initialBackoffMs', retry.initialBackoffMs, 0, MAX_MS, 100),
      maxBackoffMs: between('retry.maxBackoffMs', retry.maxBackoffMs, 0, MAX_MS, 30_000),
    },
  };
}

function verifyTopics(topics: readonly TopicSelector[]): void {
  const kinds = 'names, patterns, or definitions that topic() gives';
  if (!Array.isArray(topics)) throw invalid('topics', `a list of ${kinds}`, topics);
  if (topics.length === 0) {
    throw new ConfigError(
      'INVALID_OPTION',
      'consumer option "topics" must name at least one topic, pattern or definition',
    );
  }
  for (const [index, topic] of topics.entries())
    if (!isSelector(topic)) throw invalid(`topics[${index}]`, `one of ${kinds}`, topic);
}

function isSelector(topic: unknown): boolean {
  if (typeof topic === 'string' || topic instanceof RegExp) return true;
  const { name, value } = (topic as Partial<AnyTopicDefinition> | null | undefined) ?? {};
  return typeof name === 'string' && typeof value?.decode === 'function';
}

function isAssignor(assignor: unknown): boolean {
  const { name, assign } = (assignor as Partial<Assignor> | null | undefined) ?? {};
  return typeof name === 'string' && typeof assign === 'function';
}

function between(
  option: string,
  value: number | undefined,
  least: number,
  most: number,
  byDefault: number,
): number {
  if (value === undefined) return byDefault;
  if (typeof value !== 'number' || Number.isNaN(value) || value < least || value > most) {
    throw invalid(option, `a number from ${least} to ${most}`, value);
  }
  return value;
}

function oneOf<V extends string>(
  option: string,
  value: V | undefined,
  allowed: readonly V[],
  byDefault: V,
): V {
  if (value === undefined) return byDefault;
  if (!allowed.includes(value)) {
    const choices = allowed.map((choice) => `"${choice}"`).join(', ');
    throw invalid(option, `one of ${choices}`, value);
  }
  return value;
}

function invalid(option: string, expected: string, value: unknown): ConfigError {
  return new ConfigError(
    'INVALID_OPTION',
    `consumer option "${option}" must be ${expected}, not ${describeValue(value)}`,
  );
}
