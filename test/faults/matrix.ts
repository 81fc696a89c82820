/** The fault matrix: every row, in the order in which a world meets them. */
import type { Fault, TopologyName } from './fault.ts';
import { badRecords } from './rows/bad-records.ts';
import { blockEventLoop } from './rows/block-event-loop.ts';
import {
  cutBothWays,
  cutToServer,
  cutToWorker,
  halfOpen,
  resetConnections,
  staleCommits,
} from './rows/cut-network.ts';
import { flushScripts } from './rows/flush-scripts.ts';
import { freezeLeader, freezeWorker } from './rows/freeze-worker.ts';
import { killLeader } from './rows/kill-leader.ts';
import { killServerAlways, killServerEverysec } from './rows/kill-server.ts';
import { killWorker } from './rows/kill-worker.ts';
import { lateCommands } from './rows/late-commands.ts';
import { loseAppendReplies, loseClaimReplies, loseCommitReplies } from './rows/lost-replies.ts';
import { outOfMemory } from './rows/out-of-memory.ts';
import { failOver, failOverWithLoss } from './rows/failover.ts';
import { deleteLog } from './rows/delete-log.ts';
import { migrateSlots } from './rows/migrate-slots.ts';
import { mixed } from './rows/mixed.ts';
import { powerLossAlways, powerLossEverysec, restoreBackup } from './rows/power-loss.ts';
import { rollingRestart, rollingRestartStatic } from './rows/rolling-restart.ts';
import { shiftServerClock, shiftWorkerClocks } from './rows/shift-clocks.ts';
import { terminateWorker } from './rows/terminate-worker.ts';
import { twoLeaders } from './rows/two-leaders.ts';

const MATRIX: readonly Fault[] = [
  terminateWorker,
  killWorker,
  freezeWorker,
  blockEventLoop,
  cutBothWays,
  cutToServer,
  cutToWorker,
  resetConnections,
  halfOpen,
  staleCommits,
  loseAppendReplies,
  loseCommitReplies,
  loseClaimReplies,
  lateCommands,
  shiftWorkerClocks,
  shiftServerClock,
  killLeader,
  freezeLeader,
  twoLeaders,
  flushScripts,
  outOfMemory,
  badRecords,
  killServerAlways,
  killServerEverysec,
  powerLossAlways,
  powerLossEverysec,
  restoreBackup,
  failOver,
  failOverWithLoss,
  migrateSlots,
  deleteLog,
  rollingRestart,
  rollingRestartStatic,
];

const MIXED = 'mixed';

/** Throws where a name is unknown. `mixedMs` is how long a mixture of faults goes on. */
export function faultsFor(topology: TopologyName, names: readonly string[] | null, mixedMs: number): Fault[] {
  if (names?.includes(MIXED) === true) return [mixed(topology, MATRIX, mixedMs)];
  for (const name of names ?? [])
    if (!MATRIX.some((fault) => fault.name === name))
      throw new Error(
        `no fault ${JSON.stringify(name)}; there are ${MATRIX.map((fault) => fault.name).join(', ')}`,
      );
  return MATRIX.filter(
    ({ name, topologies }) => topologies.includes(topology) && (names === null || names.includes(name)),
  );
}
