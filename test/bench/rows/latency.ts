/** From send to handler at an even load, in another process: against `XADD` to `XREAD BLOCK`. */
import type { IoredisConsumer } from '../peers/ioredis-consumer.ts';
import type { IoredisProducer } from '../peers/ioredis-producer.ts';
import { figure } from '../report/figures.ts';
import { compareTurns, medianRatio } from '../report/row.ts';
import { calmest, isCalm, watchHost } from '../run/calm-rounds.ts';
import type { Latencies } from '../run/pace.ts';
import { startSide } from '../run/side-process.ts';
import { openConsumer, openProducer, PARTITIONS } from './fixture.ts';
import type { RowDefinition } from './row-definition.ts';

const PER_SECOND = 1_000;
const SECONDS = 3;
/** A round has thirty records behind its p99, and a neighbour of a few milliseconds decides it: there are more of them. */
const ROUNDS_EACH = 3;
/**
 * V8 compiles what has run often, and at the pace of the rounds that takes minutes: in rounds of one run the median fell from
 * 0.7 to 0.4 ms. A service runs for longer than that.
 */
const WARM_UP = { records: 60_000, perSecond: 4_000 };

/** At most so many times the rounds, when calm ones are too few. */
const MOST_ROUNDS = 2;

interface Turn {
  readonly latencies: Latencies;
  readonly stolen: number;
}

/** A turn of each side, and what was stolen in the worse one. */
interface Round {
  readonly millrace: Latencies;
  readonly ioredis: Latencies;
  readonly stolen: number;
}

interface Load {
  readonly records: number;
  readonly perSecond: number;
}

export const latency: RowDefinition = {
  id: 'latency',
  title: 'latency at 1,000 records/s',
  steps: ({ rounds }) => (rounds * ROUNDS_EACH + 1) * 2,
  async run(bench) {
    if (!bench.peers.has('ioredis')) return [];
    const [warmUp, load]: readonly [Load, Load] = [
      { ...WARM_UP, records: bench.count(WARM_UP.records) },
      { records: bench.count(PER_SECOND * SECONDS), perSecond: PER_SECOND },
    ];
    await using producer = await openProducer(bench, 'latency');
    await using consumer = await openConsumer(bench, {
      topic: 'latency',
      partitions: PARTITIONS,
      groups: ['latency'],
      handler: 'eachRecord',
    });
    await using plainProducer = await startSide<IoredisProducer>('ioredis-producer');
    await plainProducer.call('open', { url: bench.redis.url, autoPipelining: false });
    await using plainConsumer = await startSide<IoredisConsumer>('ioredis-consumer');
    await plainConsumer.call('open', { url: bench.redis.url });

    const sides = {
      async millrace(load: Load): Promise<Latencies> {
        await consumer.call('receive', load);
        await producer.call('sendPaced', { topic: 'latency', partitions: PARTITIONS, ...load });
        return consumer.call('latencies');
      },
      async ioredis(load: Load): Promise<Latencies> {
        await plainConsumer.call('receive', { streams: PARTITIONS, ...load });
        await plainProducer.call('sendPaced', { streams: PARTITIONS, ...load });
        return plainConsumer.call('latencies');
      },
    };
    const found: Round[] = [];
    const wanted = bench.rounds * ROUNDS_EACH;
    const calm = (): number => found.filter(({ stolen }) => isCalm(stolen)).length;
    for (let round = 0; round <= wanted * MOST_ROUNDS && calm() < wanted; round++) {
      const turn = async (name: 'millrace' | 'ioredis'): Promise<Turn> => {
        bench.progress.begin(`latency: ${name}, ${round === 0 ? 'warm-up' : `round ${round}`}`);
        const watch = watchHost();
        return { latencies: await sides[name](round === 0 ? warmUp : load), stolen: watch() };
      };
      const isOursFirst = round % 2 === 0;
      const first = await turn(isOursFirst ? 'millrace' : 'ioredis');
      const second = await turn(isOursFirst ? 'ioredis' : 'millrace');
      const [millrace, ioredis] = isOursFirst ? [first, second] : [second, first];
      const stolen = Math.max(millrace.stolen, ioredis.stolen);
      if (round > 0) found.push({ millrace: millrace.latencies, ioredis: ioredis.latencies, stolen });
    }
    const counted = calmest(found, wanted);
    const mostStolen = Math.max(...counted.map(({ stolen }) => stolen));
    const rule =
      `counted are the ${counted.length} of ${found.length} rounds in which the host took least of the processors' time, ` +
      `at most ${(mostStolen * 100).toFixed(1)} % in a turn`;
    const settings = {
      millrace: `after ${warmUp.records} records at ${warmUp.perSecond} a second, send() and eachRecord with their defaults, a process each; ${PARTITIONS} partitions in turn`,
      ioredis: `after ${warmUp.records} records at ${warmUp.perSecond} a second, XADD and XREAD BLOCK as buffers, a process each; ${PARTITIONS} streams in turn`,
    };
    return (['p50', 'p99'] as const).map((name) => {
      const values = (side: 'millrace' | 'ioredis', rounds: readonly Round[]): number[] =>
        rounds.map((round) => round[side][`${name}Ms`]);
      const peer = values('ioredis', counted);
      const ofAll = medianRatio(values('millrace', found), values('ioredis', found));
      return compareTurns(
        {
          id: `latency-${name}/ioredis`,
          measure: `send to handler, ${name} / XADD to XREAD BLOCK`,
          unit: 'ms',
          target: { atMost: 2 },
          settings,
          // What the peer differs from itself by is the machine.
          note: `${rule}; of all of them the ratio is ${figure(ofAll)}; ${name} of XADD in those counted ${figure(Math.min(...peer))} to ${figure(Math.max(...peer))} ms`,
        },
        { name: 'millrace', values: values('millrace', counted) },
        { name: 'ioredis', values: peer },
      );
    });
  },
};
