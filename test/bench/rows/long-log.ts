/**
 * Two rows on one log of ten million records, which takes the longest of all to make: what a record costs at the end of
 * a long log, and the memory of a worker that consumes all of it.
 */
import { bound, compare, compareTurns, type BenchRow } from '../report/row.ts';
import type { Bench } from '../run/bench.ts';
import { costUs, takeTurns } from '../run/take-turns.ts';
import { fillTopic, FLAT, openConsumer, PARTITIONS, zeros } from './fixture.ts';
import { freeBytes } from '../run/free-memory.ts';
import type { MemoryReport, Watched } from '../run/memory-watch.ts';
import type { RowDefinition } from './row-definition.ts';

const LONG = 10_000_000;
const SHORT = 10_000;
/** Deliveries in one measurement of the cost: the newest records, again and again. */
const REPEATS = 30;
const PARTS = 10;
/** What a record takes in Redis, with what its growth may need on top. */
const BYTES_A_RECORD = 300;

interface LongLog {
  readonly records: number;
  readonly ends: readonly number[];
  /** Why it is shorter than it should be; empty when it is not. */
  readonly note: string;
}

async function fillLongLog(bench: Bench): Promise<LongLog> {
  const fits = Math.floor((await freeBytes()) / 2 / BYTES_A_RECORD);
  const wanted = bench.count(LONG);
  // What both parts rely on: every partition has as many records.
  const records = Math.floor(Math.min(wanted, fits) / PARTITIONS) * PARTITIONS;
  bench.progress.begin(`a log of ${records.toLocaleString('en')} records is written`);
  const ends = await fillTopic(bench, { topic: 'long', partitions: PARTITIONS, records }, newest(bench));
  return {
    records,
    ends,
    note: records < wanted ? `${records} records: the memory is too small for more` : '',
  };
}

/** Records at the end of the long log that are the whole of the short one, stored alike. */
function newest(bench: Bench): number {
  return bench.count(SHORT, PARTITIONS);
}

async function memoryRows(bench: Bench, { records, ends, note }: LongLog): Promise<BenchRow[]> {
  const open = (group: string) =>
    openConsumer(bench, { topic: 'long', partitions: PARTITIONS, groups: [group], handler: 'eachBatch' });
  // Its modules are in the compile cache when the one that counts begins.
  await (await open('compiled')).close();
  // A worker each: what only grows for a while would have done so before the second pass of the same one.
  const watch = async (watched: Watched): Promise<MemoryReport> => {
    await using worker = await open(watched);
    bench.progress.begin(`memory: one pass over all of it, ${watched}`);
    const args = { from: zeros(PARTITIONS), to: ends, watched, parts: PARTS };
    return (await worker.call('passWatched', args)).memory;
  };
  const resident = await watch('resident');
  const heap = await watch('heap');
  const consumed = `eachBatch over ${records.toLocaleString('en')} records, default buffers; ${PARTITIONS} partitions`;
  // The first part is left out of the early ones: code is still being compiled.
  const [early, late] = [heap.partsMiB.slice(1, 4), heap.partsMiB.slice(-3)];
  return [
    compare(
      {
        id: 'memory-heap',
        measure: 'heap of a worker over 10 M records: after the last three / the second to fourth million',
        unit: 'MiB',
        target: FLAT,
        settings: { millrace: `${consumed}; after a full collection` },
        note: `million by million: ${heap.partsMiB.map((mib) => mib.toFixed(1)).join(', ')} MiB${note === '' ? '' : `; ${note}`}`,
      },
      { name: 'late', values: late },
      { name: 'early', values: early },
    ),
    bound(
      {
        id: 'memory-rss',
        measure: 'highest resident set of a worker over 10 M records',
        unit: 'MiB',
        target: { atMost: 150 },
        settings: { millrace: consumed },
        note: `by million: ${resident.partsMiB.map((mib) => Math.round(mib)).join(', ')} MiB`,
      },
      { name: 'millrace', values: [resident.peakRssMiB] },
    ),
  ];
}

async function costRows(bench: Bench, { records, ends, note }: LongLog): Promise<BenchRow[]> {
  const short = newest(bench);
  const shortTopic = { topic: 'short', partitions: PARTITIONS, records: short };
  const shortEnds = await fillTopic(bench, shortTopic, short);
  const open = (topic: string) =>
    openConsumer(bench, {
      topic,
      partitions: PARTITIONS,
      groups: [`cost-${topic}`],
      handler: 'eachBatch',
    });
  await using atShort = await open('short');
  await using atLong = await open('long');
  const tailOf = (to: readonly number[]) => ({
    from: to.map((end, partition) => end - (shortEnds[partition] ?? 0)),
    to,
    times: REPEATS,
  });
  const samples = await takeTurns(bench, 'log-length', [
    { name: 'long', measure: () => atLong.call('pass', tailOf(ends)) },
    { name: 'short', measure: () => atShort.call('pass', tailOf(shortEnds)) },
  ]);
  return [
    compareTurns(
      {
        id: 'log-length',
        measure: `cost of a delivered record in a log of ${compact(records)} / of ${compact(short)}`,
        unit: 'µs of processor time',
        target: FLAT,
        settings: {
          millrace: `eachBatch, the newest ${short} records ${REPEATS} times, worker and Redis together; ${PARTITIONS} partitions`,
        },
        note,
      },
      { name: `${compact(records)} records`, values: costUs(samples.long) },
      { name: `${compact(short)} records`, values: costUs(samples.short) },
    ),
  ];
}

function compact(records: number): string {
  return new Intl.NumberFormat('en', { notation: 'compact' }).format(records);
}

const parts = { memory: memoryRows, 'log-length': costRows };

/** One definition for both, so that the log is made once; `only` leaves one of them out. */
export function longLog(only: readonly (keyof typeof parts)[]): RowDefinition {
  return {
    id: only.join(','),
    title: 'a log of 10 M records',
    steps: ({ rounds }) => 3 + (rounds + 1) * 2,
    async run(bench) {
      const log = await fillLongLog(bench);
      const rows: BenchRow[] = [];
      for (const part of only) rows.push(...(await parts[part](bench, log)));
      return rows;
    },
  };
}
