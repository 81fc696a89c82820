/**
 * Entry of the lease thread: one connection that is at once the member's presence (a subscription to its own sharded
 * channel), its ear for wake-ups, and the way its heartbeats go (RESP3 allows commands on a subscribed connection).
 *
 * A thread, because a handler that blocks the event loop must not cost its member the lease.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { MillraceError } from '@millrace/core';
import {
  closeConnection,
  createKeys,
  keepSubscribed,
  openConnection,
  RedisGroupStore,
} from '@millrace/redis';
import { systemClock } from '../clock/system-clock.ts';
import { LeaseLoop } from './lease-loop.ts';
import {
  SharedTimes,
  type FromLeaseThread,
  type LeaseThreadData,
  type ToLeaseThread,
} from './lease-messages.ts';

const data = workerData as LeaseThreadData;
const times = new SharedTimes(data.shared);
const keys = createKeys(data.prefix);
const groupKeys = keys.group(data.group);

function tell(message: FromLeaseThread): void {
  parentPort?.postMessage(message);
}

async function main(): Promise<void> {
  // In a cluster: to the primary of the group's slot, for its channels lie there too.
  const redis = await openConnection(data.connection, 'lease', data.connectionName, {
    slotOf: groupKeys.state,
  });
  const store = new RedisGroupStore(redis, keys, data.group, systemClock);
  let disappear: (() => Promise<void>) | null = null;

  async function stopPresence(): Promise<void> {
    const stop = disappear;
    disappear = null;
    // A connection that is down has no presence either, and the channels are forgotten with it.
    await stop?.().catch(() => {});
  }

  const loop = new LeaseLoop(
    {
      clock: systemClock,
      heartbeat: (memberId, session) => store.heartbeat(memberId, session),
      noteRenewal: (sentMs) => times.noteRenewal(sentMs),
      mainIdleMs: () => times.progressAgeMs(systemClock.monotonicMs()),
      onView: (view) => tell({ type: 'view', view }),
      onBlocked: (blockedMs) => tell({ type: 'blocked', blockedMs }),
      onEnd: (session, end) => {
        tell({ type: 'ended', session, end });
        if (end === 'event-loop-blocked') void stopPresence();
      },
    },
    data,
  );

  redis.on('ready', () => loop.onReconnect());
  redis.on('smessage', (channel: string, message: string) => {
    if (channel === groupKeys.wake) tell({ type: 'wake', what: message });
  });

  async function obey(message: ToLeaseThread): Promise<void> {
    switch (message.type) {
      case 'appear':
        await stopPresence();
        disappear = await keepSubscribed(redis, [groupKeys.presence(message.memberId), groupKeys.wake]);
        tell({ type: 'present' });
        break;
      case 'hold':
        loop.hold(message.memberId, message.session);
        break;
      case 'drop':
        loop.drop();
        await stopPresence();
        tell({ type: 'absent' });
        break;
      case 'close':
        loop.drop();
        await closeConnection(redis);
        parentPort?.close();
        break;
      default:
        message satisfies never;
    }
  }

  // One at a time, in order: a drop must not overtake the appearance before it.
  let tail = Promise.resolve();
  parentPort?.on('message', (message: ToLeaseThread) => {
    tail = tail.then(() => obey(message)).catch(reportFailure);
  });
  tell({ type: 'open' });
}

function reportFailure(error: unknown): void {
  const code = error instanceof MillraceError ? error.code : 'REDIS_UNREACHABLE';
  tell({ type: 'failed', message: error instanceof Error ? error.message : String(error), code });
}

main().catch((error: unknown) => {
  reportFailure(error);
  parentPort?.close();
});
