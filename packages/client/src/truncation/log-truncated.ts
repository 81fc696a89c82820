/** What is told when a log went back: lost records that somebody has read, or was told are stored. */
import { DataError } from '@millrace/core';

/** What happens after a log went back: `resume` reports and goes on, `fail` reports and waits for somebody to decide. */
export type TruncationPolicy = 'resume' | 'fail';

export interface LogTruncatedEvent {
  readonly topic: string;
  readonly partition: number;
  /** The first record that is gone, or was replaced by another one. Lower where more was lost than is remembered. */
  readonly from: number;
  /** Records below it were known here: delivered to this consumer, or acknowledged to this producer. */
  readonly to: number;
  readonly policy: TruncationPolicy;
}

export interface ConsumerLogTruncatedEvent extends LogTruncatedEvent {
  readonly group: string;
  /** Where this consumer goes on; null when it does not own the partition any more. */
  readonly committed: number | null;
}

const CAUSE =
  'the log went back (a failover to a replica that had not received them, or a restart that had not persisted them)';

export interface ProducerLogTruncatedEvent extends LogTruncatedEvent {
  /** Records of this producer among them, as far as it remembers: the last 64 batches of a partition at least. */
  readonly lost: number;
}

export function truncatedForConsumer(event: ConsumerLogTruncatedEvent): DataError {
  const { committed, ...what } = event;
  const { group, topic, partition, from, to, policy } = what;
  const next =
    committed === null
      ? ''
      : policy === 'fail'
        ? `; the partition waits: resume() goes on at ${committed}, seek() elsewhere`
        : `; it goes on at ${committed}`;
  return new DataError(
    'LOG_TRUNCATED',
    `${topic}/${partition} has lost records ${from} to ${to - 1} that group ${group} was given: ${CAUSE}${next}`,
    { details: committed === null ? what : { ...what, committed } },
  );
}

export function truncatedForProducer(event: ProducerLogTruncatedEvent): DataError {
  const { topic, partition, from, to, lost, policy } = event;
  return new DataError(
    'LOG_TRUNCATED',
    `${topic}/${partition} has lost ${lost} records from ${from} to ${to - 1} that this producer was told are stored: ` +
      `${CAUSE}. Send what is missing again, and what was rejected with this error` +
      (policy === 'fail' ? ', with a new producer: this one sends nothing there any more' : ''),
    { details: { ...event } },
  );
}
