import { POISON } from '../load.ts';
import { TOPOLOGIES, type Fault } from '../fault.ts';
import { LOSES_NOTHING, MACHINE_MS } from './bounds.ts';

const POISONED = 3;
const OVERSIZE_BYTES = 1_100_000;
const LARGE_BYTES = 900_000;

export const badRecords: Fault = {
  name: 'bad-records',
  what: 'records that no handler can take, records that are too large, and some that just fit',
  kind: 'alone',
  topologies: TOPOLOGIES,
  losses: LOSES_NOTHING,
  resumeBoundMs: MACHINE_MS,
  // Every attempt at a poison record is a delivery.
  redelivery: 'window',
  async run(stage) {
    const producer = stage.random.pick(stage.producers);
    const send = (value: string, bytes = 0) => producer.process.send({ type: 'send', value, bytes });
    await stage.inject(null, async () => {
      for (let count = 0; count < POISONED; count++) {
        await send(`${POISON}${stage.topic}.${count}`);
        await send(`oversize.${stage.topic}.${count}`, OVERSIZE_BYTES);
        await send(`large.${stage.topic}.${count}`, LARGE_BYTES);
      }
      await stage.load(1_500);
    });
  },
};
