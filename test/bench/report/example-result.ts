/** A result as tests of the reports need one. */
import type { BenchResult } from './result.ts';
import { bound, compare, withoutFigure } from './row.ts';

const common = { unit: 'records/s', settings: { millrace: 'defaults', ioredis: 'pipelines' } };

export const exampleResult: BenchResult = {
  version: 1,
  date: '2026-01-02',
  machine: {
    cores: 2,
    cpu: 'A processor',
    memoryGiB: 16,
    os: 'Linux 6.1',
    node: '26.0.0',
    redis: 'Redis 7.0.15',
  },
  rounds: 3,
  scale: 1,
  seconds: 61.4,
  rows: [
    compare(
      {
        ...common,
        id: 'send-batch/ioredis',
        measure: 'sendBatch / XADD',
        target: { atLeast: 6 },
        costs: { millrace: { clientUs: 0.81, redisUs: 0.12 } },
      },
      { name: 'millrace', values: [1_234_567, 1_200_000, 1_300_000] },
      { name: 'ioredis', values: [150_000, 160_000, 154_321] },
    ),
    compare(
      { ...common, id: 'latency/ioredis', measure: 'latency <p50>', unit: 'ms', target: { atMost: 2 } },
      { name: 'millrace', values: [0.41, 0.4, 0.42] },
      { name: 'ioredis', values: [0.1, 0.1, 0.1] },
    ),
    bound(
      { ...common, id: 'commands', measure: 'commands', unit: 'commands', target: { atMost: 0.02 } },
      { name: 'millrace', values: [0.0123] },
    ),
    withoutFigure(
      { ...common, id: 'each-batch/nats', measure: 'eachBatch / NATS', target: { atLeast: 2 } },
      'nats',
      'not available',
      'no nats-server | anywhere',
    ),
  ],
};
