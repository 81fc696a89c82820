/**
 * One consumer in a process of its own, to be killed, frozen and continued. Tells its parent what happens to it, and
 * every record that it handles with the epoch it held.
 */
import { connect, type ConsumerOptions } from 'millrace';

export interface WorkerSettings {
  readonly url: string;
  readonly prefix: string;
  readonly name: string;
  readonly consumer: ConsumerOptions<string>;
  /** Every call takes this long, ms; or `never` returns until its signal aborts; or `block`s the event loop. */
  readonly work?:
    | { readonly kind: 'wait' | 'block'; readonly ms: number }
    | { readonly kind: 'until-aborted' };
}

export type FromWorker =
  | { readonly type: 'joined'; readonly memberId: string }
  | {
      readonly type: 'record';
      readonly topic: string;
      readonly partition: number;
      readonly offset: number;
      readonly epoch: number;
      readonly value: string | null;
      readonly atMs: number;
    }
  | { readonly type: 'event'; readonly event: string; readonly detail: unknown; readonly atMs: number }
  | { readonly type: 'error'; readonly code: string; readonly message: string }
  | { readonly type: 'aborted'; readonly partition: number; readonly code: string }
  | { readonly type: 'leader'; readonly isLeader: boolean }
  | { readonly type: 'closed' };

export type ToWorker = { readonly type: 'close' } | { readonly type: 'ask-leader' };

const settings = JSON.parse(process.argv[2] ?? '{}') as WorkerSettings;

/** Wall clock: the one that parent and child share. */
const nowMs = (): number => performance.timeOrigin + performance.now();

function tell(message: FromWorker): void {
  process.send?.(message);
}

const millrace = await connect({
  url: settings.url,
  prefix: settings.prefix,
  name: settings.name,
  logger: false,
});
const consumer = millrace.consumer(settings.consumer);
for (const event of ['assigned', 'revoked', 'lost', 'rebalanced'] as const) {
  consumer.on(event, (detail) => tell({ type: 'event', event, detail, atMs: nowMs() }));
}
consumer.on('error', ({ code, message }) => tell({ type: 'error', code, message }));

process.on('message', (message: ToWorker) => {
  if (message.type === 'ask-leader') tell({ type: 'leader', isLeader: consumer.isLeader });
  if (message.type !== 'close') return;
  void millrace.close().then(() => {
    tell({ type: 'closed' });
    process.disconnect?.();
  });
});

await consumer.run({
  eachRecord: async ({ topic, partition, record, epoch, signal }) => {
    tell({
      type: 'record',
      topic,
      partition,
      offset: record.offset,
      epoch,
      value: record.text(),
      atMs: nowMs(),
    });
    const { work } = settings;
    if (work === undefined) return;
    if (work.kind === 'block') {
      const untilMs = nowMs() + work.ms;
      while (nowMs() < untilMs);
      return;
    }
    await new Promise<void>((resolve) => {
      const timer = work.kind === 'wait' ? setTimeout(resolve, work.ms) : undefined;
      signal.addEventListener('abort', () => {
        clearTimeout(timer);
        tell({ type: 'aborted', partition, code: String((signal.reason as { code?: unknown }).code) });
        resolve();
      });
    });
  },
});
tell({ type: 'joined', memberId: consumer.memberId });
