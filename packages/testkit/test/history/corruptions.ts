/** Ways to change one event of a clean history so that it tells of something that must not happen. */
import type { AnomalyName, HistoryEvent, InvokeEvent, OkEvent } from '@millrace/testkit';

export interface Corruption {
  readonly name: string;
  /** One of these must be found. */
  readonly expected: readonly AnomalyName[];
  /** Only with histories that have no failover: there it could have been the failover. */
  readonly needsNoFailover?: true;
  /** Each event that can be changed in this way, with what it becomes (null: it is taken out). */
  candidates(events: readonly HistoryEvent[]): readonly (readonly [HistoryEvent, HistoryEvent | null])[];
}

const acquired = (event: HistoryEvent): event is OkEvent<'acquire'> & { status: 'ACQUIRED' } =>
  event.f === 'acquire' && event.type === 'ok' && event.status === 'ACQUIRED';

const committed = (event: HistoryEvent): event is OkEvent<'commit'> =>
  event.f === 'commit' && event.type === 'ok' && event.status === 'COMMITTED';

const delivery = (event: HistoryEvent): event is InvokeEvent<'deliver'> =>
  event.f === 'deliver' && event.type === 'invoke';

function invokeOf(events: readonly HistoryEvent[], end: HistoryEvent): HistoryEvent | undefined {
  return events.find(
    (event) =>
      event.type === 'invoke' && 'id' in end && event.id === end.id && event.incarnation === end.incarnation,
  );
}

export const CORRUPTIONS: readonly Corruption[] = [
  {
    name: 'the log lacks its last record',
    expected: ['lost-write'],
    needsNoFailover: true,
    candidates: (events) =>
      events.flatMap((event) =>
        event.f === 'final-log' && event.records.length > 0
          ? [[event, { ...event, records: event.records.slice(0, -1), logEnd: event.logEnd - 1 }]]
          : [],
      ),
  },
  {
    name: 'the log lacks a record in its middle',
    expected: ['gap'],
    candidates: (events) =>
      events.flatMap((event) =>
        event.f === 'final-log' && event.records.length > 2
          ? [[event, { ...event, records: event.records.toSpliced(1, 1) }]]
          : [],
      ),
  },
  {
    name: 'two records of the log have changed places',
    expected: ['inconsistent-offsets', 'duplicate'],
    needsNoFailover: true,
    candidates: (events) =>
      events.flatMap((event) => {
        if (event.f !== 'final-log') return [];
        const [first, second, ...rest] = event.records;
        if (first === undefined || second === undefined) return [];
        const records: [number, string][] = [
          [first[0], second[1]],
          [second[0], first[1]],
        ];
        return [[event, { ...event, records: [...records, ...rest] }]];
      }),
  },
  {
    name: 'an acknowledgement names another offset',
    expected: ['inconsistent-offsets', 'duplicate'],
    needsNoFailover: true,
    candidates: (events) =>
      events.flatMap((event) =>
        event.f === 'send' && event.type === 'ok' ? [[event, { ...event, offset: event.offset + 1 }]] : [],
      ),
  },
  {
    name: 'a stored record was said to have failed',
    expected: ['aborted-read'],
    needsNoFailover: true,
    candidates: (events) =>
      events.flatMap((event) =>
        event.f === 'send' && event.type === 'ok' ? [[event, { ...event, type: 'fail' as const }]] : [],
      ),
  },
  {
    name: 'the only call for a record never ended',
    expected: ['unseen', 'epoch-skip', 'commit-beyond-position'],
    candidates: (events) => {
      const finished = new Map<string, HistoryEvent[]>();
      for (const event of events) {
        if (event.f !== 'deliver' || event.type !== 'ok') continue;
        const invoke = invokeOf(events, event);
        if (invoke === undefined || !delivery(invoke)) continue;
        finished.set(invoke.value, [...(finished.get(invoke.value) ?? []), event]);
      }
      const stored = new Set(
        events.flatMap((event) => (event.f === 'final-log' ? event.records.map(([, value]) => value) : [])),
      );
      return [...finished].flatMap(([value, [only, ...others]]) =>
        only !== undefined && others.length === 0 && stored.has(value) ? [[only, null]] : [],
      );
    },
  },
  {
    name: 'a delivery is of the next offset',
    expected: ['epoch-skip', 'handover-skip'],
    candidates: (events) =>
      events.flatMap((event) => (delivery(event) ? [[event, { ...event, offset: event.offset + 1 }]] : [])),
  },
  {
    name: 'a delivery is under an epoch that nobody had',
    expected: ['unowned-delivery'],
    candidates: (events) =>
      events.flatMap((event) => (delivery(event) ? [[event, { ...event, epoch: event.epoch + 1 }]] : [])),
  },
  {
    name: 'a commit goes beyond what is done',
    expected: ['commit-beyond-position'],
    candidates: (events) =>
      events.flatMap((event) =>
        event.f === 'commit' && event.type === 'invoke'
          ? [[event, { ...event, offset: event.offset + 50 }]]
          : [],
      ),
  },
  {
    name: 'a commit was accepted under another nonce',
    expected: ['unowned-commit'],
    candidates: (events) =>
      events.flatMap((event) => {
        const invoke = committed(event) ? invokeOf(events, event) : undefined;
        return invoke?.f === 'commit' && invoke.type === 'invoke'
          ? [[invoke, { ...invoke, nonce: 'x' }]]
          : [];
      }),
  },
  {
    name: 'a commit that was fenced was accepted',
    expected: ['stale-commit-accepted'],
    needsNoFailover: true,
    candidates: (events) =>
      events.flatMap((event) => {
        if (event.f !== 'commit' || event.type !== 'ok' || event.status !== 'FENCED') return [];
        const invoke = invokeOf(events, event);
        if (invoke?.f !== 'commit' || invoke.type !== 'invoke') return [];
        // Where the newer owner was there before it was sent.
        const isStale = events.some(
          (other) =>
            acquired(other) &&
            other.tMonoMs < invoke.tMonoMs &&
            other.epoch > invoke.epoch &&
            isSamePartition(events, other, invoke),
        );
        return isStale ? [[event, { ...event, status: 'COMMITTED', committed: invoke.offset }]] : [];
      }),
  },
  {
    name: 'an acquire returned one record less than its first delivery',
    expected: ['handover-skip'],
    candidates: (events) =>
      firstDeliveries(events).map((event) => [event, { ...event, committed: event.committed - 1 }]),
  },
  {
    name: 'an acquire returned one record more than its first delivery',
    expected: ['excess-redelivery'],
    candidates: (events) =>
      firstDeliveries(events).map((event) => [event, { ...event, committed: event.committed + 1 }]),
  },
  {
    name: 'an acquire returned an epoch that another had',
    expected: ['duplicate-epoch'],
    candidates: (events) => {
      const all = events.filter((event) => acquired(event));
      return all.flatMap((event) => {
        const invoke = invokeOf(events, event);
        const other = all.find(
          (candidate) =>
            candidate !== event && invoke?.f === 'acquire' && isSamePartition(events, candidate, invoke),
        );
        return other === undefined ? [] : [[event, { ...event, epoch: other.epoch }]];
      });
    },
  },
  {
    name: 'the last committed offset is one less',
    expected: ['commit-regression'],
    candidates: (events) =>
      events.flatMap((event) =>
        event.f === 'final-committed' && event.committed > 0
          ? [[event, { ...event, committed: event.committed - 1 }]]
          : [],
      ),
  },
  {
    name: 'the last committed offset is one more',
    expected: ['commit-beyond-hw'],
    candidates: (events) =>
      events.flatMap((event) =>
        event.f === 'final-committed' ? [[event, { ...event, committed: event.committed + 1 }]] : [],
      ),
  },
];

function isSamePartition(
  events: readonly HistoryEvent[],
  end: HistoryEvent,
  at: HistoryEvent & { readonly p?: number },
): boolean {
  const invoke = invokeOf(events, end);
  return invoke !== undefined && 'p' in invoke && invoke.p === at.p;
}

/** The acquires whose ownership has delivered something. */
function firstDeliveries(events: readonly HistoryEvent[]): (OkEvent<'acquire'> & { status: 'ACQUIRED' })[] {
  return events
    .filter((event) => acquired(event))
    .filter((event) =>
      events.some(
        (other) =>
          delivery(other) &&
          other.incarnation === event.incarnation &&
          other.epoch === event.epoch &&
          isSamePartition(events, event, other),
      ),
    );
}
