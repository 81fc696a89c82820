/** Options of `producer()`, checked and completed. */
import { ConfigError, defaultPartitioner, parseName, type Partitioner } from '@millrace/core';
import {
  MAX_BATCH_BYTES,
  MAX_BATCH_RECORDS,
  verifyCompression,
  type Compression,
  type CompressionSettings,
  type Durability,
} from '@millrace/redis';
import type { TruncationPolicy } from '../truncation/log-truncated.ts';
import { describeValue } from '../options/describe-value.ts';
import { verifyOptionNames, type OptionNames } from '../options/verify-option-names.ts';
import { resolveDurability, type Acks } from './acks.ts';
import { bounded } from './bounded.ts';

export interface ProducerOptions {
  /**
   * Name that survives restarts: of two producers with one name the newer shuts the older out (`PRODUCER_FENCED`), in
   * each partition from its first record on. Default: an id of its own for every producer.
   */
  readonly producerId?: string | undefined;
  /**
   * How long a batch waits for company, milliseconds, below `deliveryTimeoutMs`. 0, the default, waits for the end of the
   * event loop's turn.
   */
  readonly lingerMs?: number | undefined;
  /**
   * Largest batch, bytes, at most 1,048,640. A single larger record makes a batch of its own. Default 229,248: with what
   * Redis adds, a batch that is full takes one allocation of 224 KiB and wastes next to nothing of it.
   */
  readonly maxBatchBytes?: number | undefined;
  /** Default 10,000, which is the maximum. */
  readonly maxBatchRecords?: number | undefined;
  /**
   * `none` (default) or `zstd`, which needs Node 22.15, 23.8 or newer here and at every consumer. A batch that would not
   * get at least a tenth smaller is stored as it is; `maxBatchBytes` and `maxBufferedBytes` count before compression.
   */
  readonly compression?: Compression | undefined;
  /** Smaller batches are not compressed. Default 1,024. */
  readonly compressionMinBytes?: number | undefined;
  /**
   * Encoded records that may wait for their acknowledgement; beyond it `send` waits. Default 32 MiB. Up to half of it, at
   * most 16 MiB, stays reserved for later batches once it was used.
   */
  readonly maxBufferedBytes?: number | undefined;
  /** How long `send` waits for room, or for the topic to be looked up, milliseconds. Default 60,000. */
  readonly maxBlockMs?: number | undefined;
  /**
   * How long a batch is tried to be stored, counted from when its first record was buffered, milliseconds. Default 30,000.
   * While nothing can be stored the batch goes on collecting, and what came last fails with the first.
   */
  readonly deliveryTimeoutMs?: number | undefined;
  /**
   * What has to be true of a record before it is acknowledged: the primary has it in memory (`memory`, the default,
   * Kafka's `acks=1`), replicas have it in memory (`replicated`, the nearest to `acks=all`), or it is on the primary's disk
   * (`fsynced`, Redis 7.2 and newer). What each survives: docs/guarantees.md.
   */
  readonly acks?: Acks | undefined;
  /** Replicas that must have it: in memory (default 1) or, with `fsynced`, on their disks too (default 0). At most 100. */
  readonly replicas?: number | undefined;
  /**
   * How long one try waits for replicas or disks, milliseconds, at most 5,000; then the batch is looked for and waited
   * for again, until `deliveryTimeoutMs` is over. Default 3,000, or `deliveryTimeoutMs` where that is less.
   */
  readonly ackTimeoutMs?: number | undefined;
  /**
   * What to do when the log has lost records that were acknowledged to this producer: `resume` (default) tells
   * (`logTruncated`; where nobody listens, by rejecting the next record for that partition) and goes on, `fail` tells and
   * rejects every further record for that partition (`LOG_TRUNCATED`).
   */
  readonly onLogTruncated?: TruncationPolicy | undefined;
  /** Partition of a record with a key. Default: Kafka's (murmur2). Must depend on its arguments alone. */
  readonly partitioner?: Partitioner | undefined;
}

export interface ResolvedProducerOptions extends CompressionSettings {
  readonly producerId: string | undefined;
  readonly lingerMs: number;
  readonly maxBatchBytes: number;
  readonly maxBatchRecords: number;
  readonly maxBufferedBytes: number;
  readonly maxBlockMs: number;
  readonly deliveryTimeoutMs: number;
  /** `null` for acks `memory`: an append is acknowledged when it is answered. */
  readonly durability: Durability | null;
  readonly onLogTruncated: TruncationPolicy;
  readonly partitioner: Partitioner;
}

const OPTION_NAMES: OptionNames<Required<ProducerOptions>> = {
  producerId: true,
  lingerMs: true,
  maxBatchBytes: true,
  maxBatchRecords: true,
  compression: true,
  compressionMinBytes: true,
  maxBufferedBytes: true,
  maxBlockMs: true,
  deliveryTimeoutMs: true,
  acks: true,
  replicas: true,
  ackTimeoutMs: true,
  onLogTruncated: true,
  partitioner: true,
};

/**
 * 224 KiB is a size class of jemalloc, in which Redis stores an entry; the entry adds about 60 bytes to its batch. The
 * largest batches cost a tenth less CPU and block Redis for four times as long; smaller ones cost more CPU, and a size
 * that fits no class up to a quarter more memory.
 */
const DEFAULT_BATCH_BYTES = 229_376 - 128;
/** A producer's state is kept for ten minutes at least; a batch that is repeated later could be stored twice. */
const MAX_DELIVERY_TIMEOUT_MS = 300_000;
/** setTimeout takes 31 bits. */
const MAX_TIMER_MS = 2_147_483_647;

/** Throws `INVALID_OPTION` or `INVALID_NAME` (ConfigError). */
export function resolveProducerOptions(options: ProducerOptions): ResolvedProducerOptions {
  verifyOptionNames('producer option', options, OPTION_NAMES);
  const deliveryTimeoutMs = bounded(
    'deliveryTimeoutMs',
    options.deliveryTimeoutMs ?? 30_000,
    1,
    MAX_DELIVERY_TIMEOUT_MS,
  );
  return {
    producerId: options.producerId === undefined ? undefined : parseName('producer id', options.producerId),
    lingerMs: bounded('lingerMs', options.lingerMs ?? 0, 0, deliveryTimeoutMs - 1),
    maxBatchBytes: bounded('maxBatchBytes', options.maxBatchBytes ?? DEFAULT_BATCH_BYTES, 1, MAX_BATCH_BYTES),
    maxBatchRecords: bounded(
      'maxBatchRecords',
      options.maxBatchRecords ?? MAX_BATCH_RECORDS,
      1,
      MAX_BATCH_RECORDS,
    ),
    compression: resolveCompression(options.compression),
    compressionMinBytes: bounded(
      'compressionMinBytes',
      options.compressionMinBytes ?? 1_024,
      0,
      MAX_BATCH_BYTES,
    ),
    maxBufferedBytes: bounded(
      'maxBufferedBytes',
      options.maxBufferedBytes ?? 33_554_432,
      1,
      Number.MAX_SAFE_INTEGER,
    ),
    maxBlockMs: bounded('maxBlockMs', options.maxBlockMs ?? 60_000, 1, MAX_TIMER_MS),
    deliveryTimeoutMs,
    durability: resolveDurability(options, deliveryTimeoutMs),
    onLogTruncated: resolveTruncationPolicy(options.onLogTruncated),
    partitioner: resolvePartitioner(options.partitioner),
  };
}

function resolveCompression(compression: Compression = 'none'): Compression {
  if (compression !== 'none' && compression !== 'zstd') {
    throw new ConfigError(
      'INVALID_OPTION',
      `compression must be "none" or "zstd", not ${describeValue(compression)}`,
    );
  }
  verifyCompression(compression);
  return compression;
}

function resolveTruncationPolicy(policy: TruncationPolicy = 'resume'): TruncationPolicy {
  if (policy === 'resume' || policy === 'fail') return policy;
  throw new ConfigError(
    'INVALID_OPTION',
    `onLogTruncated must be "resume" or "fail", not ${describeValue(policy)}`,
  );
}

function resolvePartitioner(partitioner: Partitioner = defaultPartitioner): Partitioner {
  if (typeof partitioner === 'function') return partitioner;
  throw new ConfigError(
    'INVALID_OPTION',
    `partitioner must be a function, not ${describeValue(partitioner)}`,
  );
}
