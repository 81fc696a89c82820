/** How long the history checker takes: `node test/bench/history.ts [events]`, default 200,000. */
import { checkHistory, HistoryWriter, parseHistory, type HistoryEvent } from '@millrace/testkit';

const wanted = Number(process.argv[2] ?? 200_000);
const PARTITIONS = 32;
const GROUPS = ['billing', 'mailing'];
/** One record is sent and delivered to each group (two events each); every tenth delivery is committed. */
const EVENTS_PER_RECORD = 2 + GROUPS.length * 2.2;

const events: HistoryEvent[] = [];
let nowMs = 0;
const writers = Array.from(
  { length: 8 },
  (_, index) =>
    new HistoryWriter({
      proc: `process-${index}`,
      incarnation: `${index}`,
      monotonicMs: () => (nowMs += 0.01),
      append: (event) => events.push(event),
    }),
);
const writerAt = (index: number): HistoryWriter => writers[index % writers.length] as HistoryWriter;

const perPartition = Math.ceil(wanted / EVENTS_PER_RECORD / PARTITIONS);
for (let p = 0; p < PARTITIONS; p++) {
  for (const group of GROUPS) {
    const at = { group, topic: 'orders', p, nonce: `${group}-${p}` };
    const id = writerAt(p).invoke('acquire', { ...at, member: `member-${p}`, claim: 1 });
    const granted = { epoch: 1, committed: 0, logStart: 0, logEnd: 0, reset: null };
    writerAt(p).ok('acquire', id, { status: 'ACQUIRED', ...granted });
  }
}
for (let offset = 0; offset < perPartition; offset++) {
  for (let p = 0; p < PARTITIONS; p++) {
    const value = `${p}-${offset}`;
    const producer = writerAt(p + 1);
    producer.ok('send', producer.invoke('send', { topic: 'orders', value, acks: 'memory' }), { p, offset });
    for (const group of GROUPS) {
      const worker = writerAt(p);
      const at = { group, topic: 'orders', p, epoch: 1 };
      worker.ok('deliver', worker.invoke('deliver', { ...at, offset, value }), {});
      if (offset % 10 !== 9) continue;
      const committed = offset + 1;
      const id = worker.invoke('commit', { ...at, nonce: `${group}-${p}`, offset: committed });
      worker.ok('commit', id, { status: 'COMMITTED', committed });
    }
  }
}
for (let p = 0; p < PARTITIONS; p++) {
  const records = Array.from({ length: perPartition }, (_, offset): [number, string] => [
    offset,
    `${p}-${offset}`,
  ]);
  writerAt(0).fact('final-log', { topic: 'orders', p, logStart: 0, logEnd: perPartition, records });
}

const text = `${events.map((event) => JSON.stringify(event)).join('\n')}\n`;
const parsedAt = performance.now();
const parsed = parseHistory(text, 'bench');
const checkedAt = performance.now();
const verdict = checkHistory(parsed);
const endedAt = performance.now();
console.log(
  `${parsed.length} events: read in ${Math.round(checkedAt - parsedAt)} ms, checked in ${Math.round(endedAt - checkedAt)} ms, ` +
    `${verdict.anomalies.length} anomalies, ${verdict.counts.acked} acknowledged`,
);
