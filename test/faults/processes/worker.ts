/**
 * One worker process: a member of each group, as a user's service would run it. Everything that happens to it is in its
 * history before it happens. SIGTERM closes it in order.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { FactFields } from '@millrace/testkit';
import type { Consumer, EachRecord, MillraceError } from 'millrace';
import { connectThrough } from '../../../packages/client/src/connect/millrace.ts';
import {
  AUTO_COMMIT_INTERVAL_MS,
  EVENT_LOOP_TIMEOUT_MS,
  GROUPS,
  HANDLER_ATTEMPTS,
  LEASE_MS,
  POISON,
  recordedValue,
  TOPIC_PATTERN,
  type Group,
} from '../load.ts';
import type { FromWorker, Membership, ToWorker, WorkerSettings } from './messages.ts';
import { recordedBackend } from './recorded-backend.ts';
import { RowHistory } from './row-history.ts';
import { shiftClock } from './shifted-clock.ts';

type Delivery = EachRecord<unknown>;

const settings = JSON.parse(process.argv[2] ?? '{}') as WorkerSettings;
const history = new RowHistory(settings);

function tell(message: FromWorker): void {
  if (process.connected) process.send?.(message);
}

const millrace = await connectThrough(settings.connect, (backend) =>
  recordedBackend(backend, () => history.writer),
);

/** A millisecond or two of something asynchronous, now and then none: as handlers are. */
async function work(): Promise<void> {
  const ms = Math.floor(Math.random() * 3);
  if (ms > 0) await delay(ms);
}

async function handle(group: Group, { topic, partition, record, epoch }: Delivery): Promise<void> {
  const { writer } = history;
  const value = recordedValue(record.text() ?? '');
  const place = { group, topic, p: partition, epoch, offset: record.offset, value };
  const id = writer.invoke('deliver', place);
  if (value.startsWith(POISON)) {
    poison.set(`${group} ${topic}/${partition}`, place);
    writer.fail('deliver', id, 'POISON');
    throw new Error('a poison record');
  }
  await work();
  writer.ok('deliver', id, {});
}

const poison = new Map<string, FactFields<'dead-letter'>>();

/** What a user does with a partition that a record has halted: writes the record down elsewhere, and goes past it. */
async function bury(consumer: Consumer, group: Group, { details }: MillraceError): Promise<void> {
  const [topic, partition] = [String(details['topic']), Number(details['partition'])];
  const place = poison.get(`${group} ${topic}/${partition}`);
  if (place === undefined) return;
  history.writer.fact('dead-letter', place);
  // Lost meanwhile: its next owner comes to the same record.
  await consumer.seek({ topic, partition, offset: place.offset + 1 }).catch(() => {});
}

function join(group: Group): Consumer {
  const consumer = millrace.consumer({
    group,
    topics: [TOPIC_PATTERN],
    leaseMs: LEASE_MS,
    eventLoopTimeoutMs: EVENT_LOOP_TIMEOUT_MS,
    autoCommitIntervalMs: AUTO_COMMIT_INTERVAL_MS,
    retry: { maxAttempts: HANDLER_ATTEMPTS, initialBackoffMs: 10 },
    ...(settings.instanceId === null ? {} : { instanceId: settings.instanceId }),
  });
  for (const event of ['assigned', 'revoked', 'lost'] as const) {
    consumer.on(event, ({ partitions, reason }) => {
      for (const { topic, partition, epoch } of partitions)
        history.writer.fact(event, { group, topic, p: partition, epoch, reason });
    });
  }
  consumer.on('error', (error) => {
    const { code, message } = error;
    tell({ type: 'error', group, code, message });
    if (code === 'PARTITION_HALTED') void bury(consumer, group, error);
  });
  consumer.on('logTruncated', ({ topic, partition, from, to }) => {
    // It had records up to `to` for all that this consumer knew, and has them up to `from`.
    history.writer.fact('truncated', { side: 'consumer', group, topic, p: partition, from: to, to: from });
  });
  return consumer;
}

const consumers = new Map<Group, Consumer>(GROUPS.map((group) => [group, join(group)]));

function state(): Record<string, Membership> {
  return Object.fromEntries(
    Array.from(consumers, ([group, consumer]) => [
      group,
      {
        memberId: consumer.memberId,
        isLeader: consumer.isLeader,
        partitions: consumer.assignment().map(({ topic, partition }) => `${topic}/${partition}`),
      },
    ]),
  );
}

function block(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}

process.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'row':
      history.begin(message.directory);
      tell({ type: 'row', topic: message.topic });
      break;
    case 'ask':
      tell({ type: 'state', groups: state() });
      break;
    case 'block':
      block(message.ms);
      break;
    case 'clock':
      shiftClock(message.shiftMs);
      break;
    default:
      message satisfies never;
  }
});

process.once('SIGTERM', () => {
  void millrace.close().then(() => process.exit(0));
});

await Promise.all(
  Array.from(consumers, ([group, consumer]) =>
    consumer.run({ eachRecord: (delivery: Delivery) => handle(group, delivery) }),
  ),
);
tell({ type: 'joined' });
