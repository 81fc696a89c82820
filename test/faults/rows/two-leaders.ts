import { GROUPS } from '../load.ts';
import { TOPOLOGIES, type Fault } from '../fault.ts';
import { LEADER_MS, LOSES_NOTHING } from './bounds.ts';

const EPISODES = 2;
const EPISODE_MS = 900;

export const twoLeaders: Fault = {
  name: 'two-leaders',
  what: 'the leader lock of each group is deleted and its leader deposed, while that one goes on leading',
  kind: 'alone',
  topologies: TOPOLOGIES,
  losses: LOSES_NOTHING,
  resumeBoundMs: LEADER_MS,
  redelivery: 'none',
  async run(stage) {
    await stage.inject(null, async () => {
      for (let episode = 0; episode < EPISODES; episode++) {
        for (const group of GROUPS) await stage.observer.deposeLeader(group);
        await stage.load(EPISODE_MS);
      }
      // Something to decide, for whoever believes that it leads.
      const leaver = stage.dynamicWorker();
      await leaver.terminate();
      await leaver.start();
    });
    for (const group of GROUPS) await stage.leader(group);
  },
};
