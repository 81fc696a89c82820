import { TOPOLOGIES, type Fault } from '../fault.ts';
import { LOSES_NOTHING, READER_MS } from './bounds.ts';

/** After so long the longest-suffering connection of the product has given up: 10 s without an answer. */
const LATE_MS = 11_500;

export const lateCommands: Fault = {
  name: 'late-commands',
  what: 'commands of a worker and a producer are executed after both have given up waiting and gone on',
  kind: 'alone',
  topologies: TOPOLOGIES,
  losses: LOSES_NOTHING,
  // The lease is renewed on a new connection long before the one for commands is given up: the member stays a member.
  resumeBoundMs: READER_MS,
  redelivery: 'window',
  async run(stage) {
    const victim = stage.anyWorker();
    const producer = stage.random.pick(stage.producers);
    await stage.inject(victim.proc, async () => {
      // Present connections only: by new ones both come back while their old commands are still on the way.
      const delays = [victim, producer].map(({ proc }) =>
        stage.servers.network(proc).applyToPresent({ kind: 'delay', ms: LATE_MS, direction: 'toServer' }),
      );
      await stage.load(LATE_MS + 500);
      for (const delay of delays) delay.heal();
    });
  },
};
