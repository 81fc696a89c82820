/** One append with its answer sorted: what a producer acts upon is returned, what somebody has to look at is thrown. */
import { ConfigError, DataError, UnavailableError, partitionKey } from '@millrace/core';
import { recordCount } from '../batch/batch-decoder.ts';
import type { Keys } from '../keys.ts';
import type { ScriptConnection } from '../run-script.ts';
import { appendBatch, type AppendReply, type AppendRequest } from './append-batch.ts';
import { foreignEntry } from './log-entry.ts';

/** The outcomes of an append that a producer acts upon; the others are thrown. */
export type AppendResult = Exclude<
  AppendReply,
  { status: 'FOREIGN_ENTRY' | 'LOG_MISSING' | 'TOO_MANY_PRODUCERS' | 'TOPIC_FULL' }
>;

/**
 * Appends one batch; safe to repeat with the same producer id, epoch and sequence, as often as no reply came.
 *
 * Throws DataError `FOREIGN_ENTRY` or `LOG_TRUNCATED` when the stream was changed past Millrace, UnavailableError
 * `TOO_MANY_PRODUCERS` or `TOPIC_FULL` (retryable), ConfigError `INVALID_RECORD` when the batch does not hold `recordCount`
 * records, and whatever the connection throws. `onSend`: see `runScript`.
 */
export async function appendToLog(
  connection: ScriptConnection,
  keys: Keys,
  request: AppendRequest,
  onSend?: () => void,
): Promise<AppendResult> {
  if (recordCount(request.batch) !== request.recordCount) {
    const held = recordCount(request.batch);
    throw new ConfigError(
      'INVALID_RECORD',
      `recordCount is ${request.recordCount}, but the batch holds ${held}`,
    );
  }
  const reply = await appendBatch(connection, keys, request, onSend);
  const { topic, partition } = request;
  switch (reply.status) {
    case 'FOREIGN_ENTRY':
      throw foreignEntry(partitionKey(topic, partition), reply.id);
    case 'LOG_MISSING':
      throw new DataError(
        'LOG_TRUNCATED',
        `the stream of ${partitionKey(topic, partition)} is gone, with records up to offset ${reply.logEnd}: it was ` +
          'deleted past Millrace. Restore it from a backup, or delete the topic and create it again',
        { details: { topic, partition, logEnd: reply.logEnd } },
      );
    case 'TOO_MANY_PRODUCERS':
      throw new UnavailableError(
        'TOO_MANY_PRODUCERS',
        `${partitionKey(topic, partition)} keeps ${reply.limit} producers already, all active within ten minutes; ` +
          `there is room in ${reply.retryAfterMs} ms. Use one producer per process, or give producers stable ids`,
        { details: { topic, partition, limit: reply.limit, retryAfterMs: reply.retryAfterMs } },
      );
    case 'TOPIC_FULL':
      throw topicFull(request, reply);
    default:
      return reply;
  }
}

function topicFull(
  { topic, partition, recordCount: adding, batch }: AppendRequest,
  { records, maxRecords, bytes, maxBytes }: Extract<AppendReply, { status: 'TOPIC_FULL' }>,
): UnavailableError {
  const limits = [
    ...(maxRecords > 0 ? [`${records} of at most ${maxRecords} records`] : []),
    ...(maxBytes > 0 ? [`${bytes} of at most ${maxBytes} bytes`] : []),
  ];
  return new UnavailableError(
    'TOPIC_FULL',
    `${partitionKey(topic, partition)} is full: it holds ${limits.join(' and ')}, and a batch of ${adding} records and ` +
      `${batch.length} bytes does not fit. Its slowest group has to commit more, or its limits have to be raised`,
    {
      details: {
        topic,
        partition,
        keptRecords: records,
        keptBytes: bytes,
        ...(maxRecords > 0 ? { maxRecords } : {}),
        ...(maxBytes > 0 ? { maxBytes } : {}),
      },
    },
  );
}
