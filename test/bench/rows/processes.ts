/**
 * Four worker processes against one, with a handler that computes: what they gain must be what the cores allow. That is
 * measured in the same run by the same computation in one and in four processes without anything else.
 */
import type { Burner } from '../peers/burner.ts';
import type { MillraceConsumer } from '../peers/millrace-consumer.ts';
import { compareTurns } from '../report/row.ts';
import { startSide, type Side } from '../run/side-process.ts';
import type { Timing } from '../run/stopwatch.ts';
import { recordsPerSecond, takeTurns, type Sample } from '../run/take-turns.ts';
import { fillTopic, PARTITIONS, zeros } from './fixture.ts';
import type { RowDefinition } from './row-definition.ts';

const WORKERS = 4;

export const processes: RowDefinition = {
  id: 'processes',
  title: 'worker processes',
  steps: ({ rounds }) => (rounds + 1) * 4,
  async run(bench) {
    const records = bench.count(40_000, WORKERS);
    const to = await fillTopic(bench, { topic: 'work', partitions: PARTITIONS, records });
    await using stack = new AsyncDisposableStack();
    const open = async (group: string): Promise<Side<MillraceConsumer>> => {
      const side = stack.use(await startSide<MillraceConsumer>('millrace-consumer'));
      const args = { url: bench.redis.url, topic: 'work', partitions: PARTITIONS, groups: [group] };
      await side.call('open', { ...args, handler: 'eachRecord+work' });
      return side;
    };
    const one = [await open('one')];
    const four: Side<MillraceConsumer>[] = [];
    for (let worker = 0; worker < WORKERS; worker++) four.push(await open('four'));
    for (const side of one) await side.call('assigned', { each: PARTITIONS });
    for (const side of four) await side.call('assigned', { each: PARTITIONS / WORKERS });
    const burners: Side<Burner>[] = [];
    for (let index = 0; index < WORKERS; index++) burners.push(stack.use(await startSide<Burner>('burner')));

    const pass = { from: zeros(PARTITIONS), to };
    const consume = (sides: readonly Side<MillraceConsumer>[]) => (): Promise<Timing> =>
      together(sides.map((side) => () => side.call('pass', pass)));
    const burn = (count: number) => (): Promise<Timing> =>
      together(burners.slice(0, count).map((side) => () => side.call('burn', { records: records / count })));
    const samples = await takeTurns(bench, 'processes', [
      { name: 'one', measure: consume(one) },
      { name: 'four', measure: consume(four) },
      { name: 'burnOne', measure: burn(1) },
      { name: 'burnFour', measure: burn(WORKERS) },
    ]);
    const { one: single, four: fourfold, burnOne, burnFour } = samples;
    return [
      compareTurns(
        {
          id: 'processes/cores',
          measure: `what ${WORKERS} worker processes gain over 1 / what the cores allow`,
          unit: 'times',
          target: { atLeast: 0.9 },
          settings: {
            millrace: `eachRecord with a handler that computes for about 20 µs; ${WORKERS} processes in a group, and 1 in another; ${PARTITIONS} partitions`,
            cores: `the same computation in ${WORKERS} processes and in 1, without Redis`,
          },
          note: `with 1 process ${Math.round(middle(single))} records/s`,
        },
        { name: 'millrace', values: gains(fourfold, single) },
        { name: 'cores', values: gains(burnFour, burnOne) },
      ),
    ];
  },
};

/** From the beginning of the first to the end of the last. */
async function together(tasks: readonly (() => Promise<Timing>)[]): Promise<Timing> {
  const startedMs = performance.now();
  const timings = await Promise.all(tasks.map((task) => task()));
  return {
    records: timings.reduce((sum, { records }) => sum + records, 0),
    seconds: (performance.now() - startedMs) / 1_000,
    cpuSeconds: timings.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
  };
}

function gains(many: readonly Sample[], single: readonly Sample[]): number[] {
  const base = recordsPerSecond(single);
  return recordsPerSecond(many).map((rate, round) => rate / (base[round] ?? Number.NaN));
}

function middle(samples: readonly Sample[]): number {
  const rates = recordsPerSecond(samples).toSorted((a, b) => a - b);
  return rates[Math.floor(rates.length / 2)] ?? Number.NaN;
}
