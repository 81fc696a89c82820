/** Redis has done what it was asked to, and the answer never arrives: every script must be safe to repeat. */
import type { ProxiedCommand } from '@millrace/testkit';
import {
  ACQUIRE_PARTITION,
  APPEND,
  CLAIM_PARTITIONS,
  COMMIT_OFFSET,
  RELEASE_PARTITION,
} from '../../../packages/redis/src/generated/lua.ts';
import { TOPOLOGIES, type Fault } from '../fault.ts';
import type { Stage } from '../world/stage.ts';
import { DETECTION_MS, LOSES_NOTHING } from './bounds.ts';

const runs =
  (...scripts: readonly { readonly sha1: string }[]) =>
  ({ script }: ProxiedCommand): boolean =>
    scripts.some(({ sha1 }) => sha1 === script);

const EPISODES = 3;
const EPISODE_MS = 700;

function lose(
  name: string,
  what: string,
  matching: (command: ProxiedCommand) => boolean,
  options: {
    readonly of: 'workers' | 'producers';
    readonly kind: Fault['kind'];
    readonly redelivery: Fault['redelivery'];
    readonly provoke?: (stage: Stage) => Promise<void>;
  },
): Fault {
  return {
    name,
    what,
    kind: options.kind,
    topologies: TOPOLOGIES,
    losses: LOSES_NOTHING,
    resumeBoundMs: DETECTION_MS,
    redelivery: options.redelivery,
    async run(stage) {
      let dropped = 0;
      await stage.inject(null, async () => {
        for (let episode = 0; episode < EPISODES; episode++) {
          const ends = stage[options.of].map(({ proc }) =>
            stage.servers.network(proc).dropReplies({ matching, count: stage.random.between(1, 2) }),
          );
          await options.provoke?.(stage);
          await stage.load(EPISODE_MS);
          for (const end of ends) dropped += end();
        }
      });
      if (dropped === 0 && !stage.isShared) throw new Error(`${name}: not one reply was there to be lost`);
    },
  };
}

export const loseAppendReplies = lose(
  'lose-append-replies',
  'replies to appends are lost after their execution',
  runs(APPEND),
  { of: 'producers', kind: 'network', redelivery: 'none' },
);

export const loseCommitReplies = lose(
  'lose-commit-replies',
  'replies to commits are lost after their execution, with the connection',
  runs(COMMIT_OFFSET),
  { of: 'workers', kind: 'network', redelivery: 'none' },
);

export const loseClaimReplies = lose(
  'lose-claim-replies',
  'replies to claims, acquires and releases are lost after their execution, while partitions move',
  runs(CLAIM_PARTITIONS, ACQUIRE_PARTITION, RELEASE_PARTITION),
  {
    of: 'workers',
    kind: 'alone',
    redelivery: 'none',
    async provoke(stage) {
      const leaver = stage.dynamicWorker();
      await leaver.terminate();
      await leaver.start();
    },
  },
);
