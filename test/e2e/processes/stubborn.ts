/**
 * An owner without any discipline of its own: it joins, acquires every partition that it is assigned, never renews and
 * never looks at its lease. When it is told to, it commits. What refuses it then is the fence, and nothing else.
 */
import { hostname } from 'node:os';
import { parsePartitionKey, type Clock, type Fence, type PartitionKey } from '@millrace/core';
import {
  closeConnection,
  createKeys,
  openConnection,
  RedisGroupStore,
  RedisPartitionStore,
} from '@millrace/redis';

export interface StubbornSettings {
  readonly url: string;
  readonly prefix: string;
  readonly group: string;
  readonly topic: string;
  readonly leaseMs: number;
}

export type FromStubborn =
  | { readonly type: 'joined' }
  | { readonly type: 'acquired'; readonly partitions: number }
  | { readonly type: 'commits'; readonly statuses: readonly string[] };

export type ToStubborn = { readonly type: 'acquire' } | { readonly type: 'commit' };

const settings = JSON.parse(process.argv[2] ?? '{}') as StubbornSettings;
const { prefix, group, topic, leaseMs } = settings;
const memberId = 'stubborn';
const session = 'only';

const clock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  startTimer: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
  nextTurn: () => new Promise((resolve) => setImmediate(resolve)),
};

const redis = await openConnection(
  { url: settings.url, connectTimeoutMs: 10_000 },
  'command',
  `${prefix}:stubborn`,
);
const keys = createKeys(prefix);
const members = new RedisGroupStore(redis, keys, group, clock);
const partitions = new RedisPartitionStore(redis, keys);
const fences: Fence[] = [];

await redis.ssubscribe(keys.group(group).presence(memberId));
await members.join({
  memberId,
  session,
  host: hostname(),
  pid: process.pid,
  subscriptions: [{ kind: 'name', topic }],
  capacity: 1,
  leaseMs,
  assignor: 'sticky',
  isLeaving: false,
  joinedAtMs: Date.now(),
});
tell({ type: 'joined' });

process.on('message', (message: ToStubborn) => {
  if (message.type === 'acquire') void acquire();
  else void commit();
});
process.once('disconnect', () => void closeConnection(redis));

/** Until it has all that it is assigned: their owner may still be releasing them. */
async function acquire(): Promise<void> {
  const target = await members.readTarget(memberId);
  let pending = target.partitions;
  while (pending.length > 0) {
    const claimed = await members.claim({
      memberId,
      session,
      assignmentGeneration: target.assignmentGeneration,
      partitions: pending,
      lowest: 0,
    });
    if (claimed.status !== 'CLAIMED') throw new Error(`the claim was answered with ${claimed.status}`);
    for (const key of claimed.granted) await take(key, claimed.claim);
    pending = [...claimed.held.keys()];
  }
  tell({ type: 'acquired', partitions: fences.length });
}

async function take(key: PartitionKey, claim: number): Promise<void> {
  const place = parsePartitionKey(key);
  const nonce = `nonce of ${key}`;
  const acquired = await partitions.acquire({
    ...place,
    group,
    memberId,
    nonce,
    claim,
    offsetReset: 'earliest',
  });
  if (acquired.status !== 'ACQUIRED') throw new Error(`the acquire was answered with ${acquired.status}`);
  fences.push({ ...place, group, epoch: acquired.epoch, nonce, server: acquired.server });
}

async function commit(): Promise<void> {
  const results = await Promise.all(fences.map((fence) => partitions.commit(fence, 1, '')));
  tell({ type: 'commits', statuses: results.map(({ status }) => status) });
}

function tell(message: FromStubborn): void {
  process.send?.(message);
}
