/** Reads the histories of one row, has them checked, and adds what only the row itself can be held to. */
import { checkHistory, readHistories, type HistoryEvent } from '@millrace/testkit';
import type { Fault, TopologyName } from '../fault.ts';
import { LEASE_MS } from '../load.ts';
import type { RowFinding } from '../world/stage.ts';
import type { Verdict } from './verdict.ts';

export interface Evidence {
  readonly fault: Fault;
  readonly topology: TopologyName;
  readonly seed: number;
  readonly topic: string;
  /** Partitions that nobody can go on with. */
  readonly excluded: ReadonlySet<number>;
  readonly directory: string;
  readonly startedMs: number;
  readonly findings: readonly RowFinding[];
}

export function judge(evidence: Evidence): Verdict {
  const { fault, topology, seed, topic, excluded, directory, startedMs } = evidence;
  const events = eventsOf(topic, readHistories(directory)).filter(
    (event) => !('p' in event && excluded.has(event.p)),
  );
  const { anomalies, counts, resumeMs, secondsUnowned, longestUnownedMs } = checkHistory(events, {
    zombieGraceMs: LEASE_MS,
  });
  const found: Record<string, number> = {};
  const findings: string[] = [];
  const add = (name: string, count: number, what: string): void => {
    found[name] = (found[name] ?? 0) + count;
    findings.push(`${name} (${count}): ${what}`);
  };
  for (const { name, count, what, events: piece } of anomalies)
    add(name, count, [what, ...piece.map((event) => `    ${JSON.stringify(event)}`)].join('\n'));
  if (fault.redelivery === 'none' && counts.redelivered > 0) {
    const again = firstRepetition(events).map((event) => `    ${JSON.stringify(event)}`);
    add(
      'excess-redelivery',
      counts.redelivered,
      ['this fault must not repeat a record', ...again].join('\n'),
    );
  }
  if (fault.unownedBoundMs !== undefined && longestUnownedMs > fault.unownedBoundMs)
    add(
      'unowned',
      1,
      `a partition had no owner for ${longestUnownedMs} ms (bound ${fault.unownedBoundMs} ms)`,
    );
  for (const { name, what } of evidence.findings) add(name, 1, what);
  return {
    line: { topology, fault: fault.name, seed, ...counts, anomalies: found, resumeMs, secondsUnowned },
    findings,
    directory,
    seconds: (performance.now() - startedMs) / 1_000,
  };
}

/**
 * What concerns the row's topic. Of operations that were under way when the row began there is only the end here; what
 * they were is in the history of the row before.
 */
function eventsOf(topic: string, events: readonly HistoryEvent[]): HistoryEvent[] {
  const concerned = new Set<string>();
  const idOf = (event: HistoryEvent): string => ('id' in event ? `${event.incarnation} ${event.id}` : '');
  return events.filter((event) => {
    if (event.type === 'invoke') {
      if (!isOf(topic, event)) return false;
      concerned.add(idOf(event));
      return true;
    }
    return 'id' in event ? concerned.has(idOf(event)) : isOf(topic, event);
  });
}

function isOf(topic: string, event: HistoryEvent): boolean {
  if ('topic' in event) return event.topic === topic;
  return (
    event.f !== 'claim' ||
    event.type !== 'invoke' ||
    event.partitions.some((key) => key.startsWith(`${topic}/`))
  );
}

/** Two calls of a handler with one record. */
function firstRepetition(events: readonly HistoryEvent[]): HistoryEvent[] {
  const seen = new Map<string, HistoryEvent>();
  for (const event of events) {
    if (event.f !== 'deliver' || event.type !== 'invoke') continue;
    const name = `${event.group} ${event.p} ${event.offset}`;
    const before = seen.get(name);
    if (before !== undefined) return [before, event];
    seen.set(name, event);
  }
  return [];
}
