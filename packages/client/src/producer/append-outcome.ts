/** What a producer does about an append that stored nothing. Pure: from a reply or an error to a reaction. */
import { ConfigError, DataError, MillraceError } from '@millrace/core';
import { toMillraceError, type AppendResult } from '@millrace/redis';
import { producerFenced } from './producer-identity.ts';

export type AppendRefusal = Exclude<AppendResult, { status: 'APPENDED' | 'DUPLICATE' }>;

export type AppendReaction =
  /** The batch fails; later ones may succeed. */
  | { readonly type: 'fail'; readonly error: MillraceError }
  /** The whole producer is out. */
  | { readonly type: 'fenced'; readonly error: MillraceError }
  /** The same batch again, under a new epoch. */
  | { readonly type: 'new-epoch' }
  /** The log has lost records that were acknowledged: find out which, and go on by the policy. */
  | { readonly type: 'truncated'; readonly error: MillraceError }
  /** The topic was deleted or changed: ask which. */
  | { readonly type: 'look-up' };

export interface AppendAttempt {
  readonly topic: string;
  readonly partition: number;
  readonly producerId: string;
  readonly sequence: number;
}

export function reactionTo(refusal: AppendRefusal, attempt: AppendAttempt): AppendReaction {
  const { topic, partition, sequence } = attempt;
  switch (refusal.status) {
    case 'UNKNOWN_PARTITION':
      return { type: 'look-up' };
    case 'UNKNOWN_PRODUCER':
      return { type: 'new-epoch' };
    case 'PRODUCER_FENCED':
      return { type: 'fenced', error: producerFenced(attempt.producerId) };
    case 'OUT_OF_ORDER_SEQUENCE':
      // Ahead of us: somebody else uses our id and epoch. Only a name that lost its epochs with the server's data can.
      if (refusal.expected > sequence) return { type: 'fenced', error: producerFenced(attempt.producerId) };
      return { type: 'truncated', error: logTruncated(attempt, refusal.expected) };
    case 'TOO_LARGE':
      return {
        type: 'fail',
        error: new ConfigError(
          'RECORD_TOO_LARGE',
          `${topic}/${partition} takes batches of at most ${refusal.maxBytes} bytes and ${refusal.maxRecords} records: ` +
            'the scripts in Redis are of another version of Millrace',
          { details: { topic, partition } },
        ),
      };
    default:
      return refusal satisfies never;
  }
}

export interface ThrownAppend {
  readonly error: MillraceError;
  /** Nobody knows whether the batch was stored. */
  readonly mayBeWritten: boolean;
}

/** `where` says what was tried. */
export function readThrownAppend(thrown: unknown, where: string): ThrownAppend {
  // The log's own errors are made of a reply of the script, which then has stored nothing, or say that they are not.
  if (thrown instanceof MillraceError)
    return { error: thrown, mayBeWritten: thrown.details['execution'] === 'unknown' };
  const error = toMillraceError(thrown, where);
  return { error, mayBeWritten: error.details['execution'] !== 'none' };
}

function logTruncated({ topic, partition, sequence }: AppendAttempt, expected: number): DataError {
  return new DataError(
    'LOG_TRUNCATED',
    `${topic}/${partition} has lost records: ${sequence - expected} that this producer was told are stored are gone (a ` +
      'failover to a replica that had not received them, or a restart without persistence). The records of this call ' +
      'were not stored; send what is missing again, then these',
    { details: { topic, partition, lost: sequence - expected } },
  );
}
