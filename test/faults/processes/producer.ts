/**
 * One producer process: keyed records with values that are never repeated, at a steady rate, while there is a row to
 * send to. Waits for no acknowledgement before the next record, as long as not too many are outstanding.
 */
import { connect, MillraceError } from 'millrace';
import { DELIVERY_TIMEOUT_MS, KEYS, recordedValue, SENDS_PER_SECOND } from '../load.ts';
import type { BeginRow, FromProducer, ProducerSettings, ToProducer } from './messages.ts';
import { RowHistory } from './row-history.ts';
import { shiftClock } from './shifted-clock.ts';

const MOST_OUTSTANDING = 2_000;
const TICK_MS = 25;

const settings = JSON.parse(process.argv[2] ?? '{}') as ProducerSettings;
const { proc, acks, replicas } = settings;
const history = new RowHistory(settings);
const outstanding = new Set<Promise<void>>();
let row: BeginRow | null = null;
let sent = 0;

function tell(message: FromProducer): void {
  if (process.connected) process.send?.(message);
}

const millrace = await connect(settings.connect);
const producer = millrace.producer({
  acks,
  ...(acks === 'replicated' ? { replicas } : {}),
  deliveryTimeoutMs: DELIVERY_TIMEOUT_MS,
});
producer.on('logTruncated', ({ topic, partition, from, to }) => {
  // It had records up to `to` for all that this producer knew, and has them up to `from`.
  history.writer.fact('truncated', { side: 'producer', topic, p: partition, from: to, to: from });
});

async function send(topic: string, value: string): Promise<void> {
  const key = `key-${Math.floor(Math.random() * KEYS)}`;
  const { writer } = history;
  const id = writer.invoke('send', { topic, key, value: recordedValue(value), acks });
  try {
    const { partition, offset } = await producer.send(topic, { key, value });
    writer.ok('send', id, { p: partition, offset });
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    if (wasNotStored(error)) writer.fail('send', id, error.code);
    else writer.unknown('send', id, error.code);
    tell({ type: 'error', code: error.code, message: error.message });
  }
}

function wasNotStored({ code, details }: MillraceError): boolean {
  switch (code) {
    case 'RECORD_TOO_LARGE':
    case 'INVALID_RECORD':
    case 'UNKNOWN_TOPIC':
    case 'UNKNOWN_PARTITION':
    case 'BUFFER_FULL':
      return true;
    default:
      return details['outcome'] === 'not-written';
  }
}

function start(value: string): void {
  if (row === null || outstanding.size >= MOST_OUTSTANDING) return;
  sent++;
  const sending = send(row.topic, value).finally(() => outstanding.delete(sending));
  outstanding.add(sending);
}

function feed(): void {
  const perTick = (SENDS_PER_SECOND * TICK_MS) / 1_000;
  for (let count = 0; count < perTick; count++) start(`${proc}.${process.pid}.${sent}`);
}

process.on('message', (message: ToProducer) => {
  switch (message.type) {
    case 'row':
      history.begin(message.directory);
      row = message;
      tell({ type: 'row', topic: message.topic });
      break;
    case 'stop':
      row = null;
      void Promise.all(outstanding).then(() => tell({ type: 'stopped', sent }));
      break;
    case 'send':
      start(message.value.padEnd(message.bytes, '.'));
      break;
    case 'clock':
      shiftClock(message.shiftMs);
      break;
    default:
      message satisfies never;
  }
});

process.once('SIGTERM', () => {
  row = null;
  void millrace.close().then(() => process.exit(0));
});

setInterval(feed, TICK_MS);
tell({ type: 'ready' });
