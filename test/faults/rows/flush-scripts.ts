import { TOPOLOGIES, type Fault } from '../fault.ts';
import { LOSES_NOTHING, MACHINE_MS } from './bounds.ts';

const TIMES = 8;

export const flushScripts: Fault = {
  name: 'flush-scripts',
  what: 'every server forgets its scripts, several times (SCRIPT FLUSH)',
  kind: 'server',
  topologies: TOPOLOGIES,
  losses: LOSES_NOTHING,
  resumeBoundMs: MACHINE_MS,
  redelivery: 'none',
  async run(stage) {
    await stage.inject(null, async () => {
      for (let time = 0; time < TIMES; time++) {
        for (const { admin } of stage.servers.nodes) await admin.script('FLUSH');
        await stage.load(stage.random.between(50, 500));
      }
    });
  },
};
