import { TOPOLOGIES, type Fault } from '../fault.ts';
import { LEADER_MS, LOSES_NOTHING } from './bounds.ts';

export const killLeader: Fault = {
  name: 'kill-leader',
  what: 'the worker that leads a group is killed (SIGKILL)',
  kind: 'process',
  topologies: TOPOLOGIES,
  losses: LOSES_NOTHING,
  resumeBoundMs: LEADER_MS,
  redelivery: 'window',
  async run(stage) {
    const victim = await stage.leader();
    await stage.inject(victim.proc, () => victim.kill());
  },
};
