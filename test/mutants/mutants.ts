/**
 * The eight defects. Where the product has a second line of defence that makes one of them harmless, the mutant takes that
 * away too and says so: a defect that nothing can come of shows nothing of the checker. Edits of
 * `packages/redis/test/group/model` put the same defect into the model of the scripts that the simulation runs on.
 */
import type { Edit, Mutant } from './mutant.ts';

const COMMIT = 'packages/redis/scripts/commit-offset.lua';
const ACQUIRE = 'packages/redis/scripts/acquire-partition.lua';
const RELEASE = 'packages/redis/scripts/release-partition.lua';
const APPEND = 'packages/redis/scripts/append.lua';
const TRIM = 'packages/redis/scripts/trim-partition.lua';
const PARTITION_MODEL = 'packages/redis/test/group/model/partition-model.ts';
const GROUP_MODEL = 'packages/redis/test/group/model/group-model.ts';
const LOG_MODEL = 'packages/redis/test/group/model/log-model.ts';
const LEADER_LOCK = 'packages/redis/src/group/leader-lock.ts';
const REIGN = 'packages/client/src/consumer/leading/reign.ts';

const FENCE = 'if o[1] ~= epoch or o[2] ~= nonce then';
const MODEL_FENCE = 'return stored?.epoch === epoch && stored.nonce === nonce ? stored : null;';

/** Commits are fenced by nothing: neither by epoch nor by nonce, for each alone would do. */
const noEpochCheck: Mutant = {
  name: 'no-epoch-check',
  edits: [
    { file: COMMIT, find: FENCE, replace: 'if false then' },
    { file: PARTITION_MODEL, find: MODEL_FENCE, replace: 'return stored;' },
  ],
  expect: ['stale-commit-accepted'],
};

/**
 * Commits are fenced by the epoch alone. Epochs are so made that no two ownerships share one, which makes the nonce the
 * second line; so epochs do not rise here, as after a failover that forgot them.
 */
const noNonce: Mutant = {
  name: 'no-nonce',
  edits: [
    { file: COMMIT, find: FENCE, replace: 'if o[1] ~= epoch then' },
    {
      file: ACQUIRE,
      find: 'local nextEpoch = math.max((tonumber(epoch) or 0) + 1, time[1] * 1000 + math.floor(time[2] / 1000))',
      replace: 'local nextEpoch = tonumber(epoch) or 1',
    },
    { file: PARTITION_MODEL, find: MODEL_FENCE, replace: 'return stored?.epoch === epoch ? stored : null;' },
    {
      file: PARTITION_MODEL,
      find: 'const epoch = Math.max((before?.epoch ?? 0) + 1, timeMs);',
      replace: 'const epoch = before?.epoch ?? 1;',
    },
  ],
  expect: ['stale-commit-accepted', 'duplicate-epoch'],
};

/**
 * The driver sends again what was in flight when a connection broke. Appends are idempotent by their sequence, and a
 * producer sends a batch again itself: both are taken away, so that nothing but the driver sends a batch twice.
 */
const resend: Mutant = {
  name: 'resend',
  edits: [
    {
      file: 'packages/redis/src/connection/connection-options.ts',
      find: 'maxRetriesPerRequest: 0,\n    enableOfflineQueue: false,\n    autoResendUnfulfilledCommands: false,',
      replace:
        'maxRetriesPerRequest: 20,\n    enableOfflineQueue: true,\n    autoResendUnfulfilledCommands: true,',
    },
    { file: APPEND, find: 'elseif nextSequence == sequenceText then', replace: 'elseif true then' },
    { file: LOG_MODEL, find: 'if (twin !== undefined) {', replace: 'if (twin?.count === 0) {' },
    { file: LOG_MODEL, find: 'if (sequence !== expected)', replace: 'if (sequence < 0)' },
    {
      file: 'packages/client/src/producer/batch-sender.ts',
      find: 'else if (error.retryable) this.#backOff(batch);',
      replace: 'else if (error.retryable && !batch.mayBeWritten) this.#backOff(batch);',
    },
  ],
  expect: ['duplicate'],
};

/** At most once, under the name of at least once. */
const commitBeforeProcess: Mutant = {
  name: 'commit-before-process',
  edits: [
    {
      file: 'packages/client/src/consumer/lane-worker.ts',
      find: "this.#isOnce = settings.commitMode === 'at-most-once';",
      replace: 'this.#isOnce = true;',
    },
  ],
  expect: ['commit-beyond-position', 'unseen'],
};

/**
 * A partition is released, and free for its heir, before its owner has stopped: it goes on delivering and committing. The
 * release takes the nonce away, after which no commit is accepted: here it stays.
 */
const releaseAfterGrant: Mutant = {
  name: 'release-after-grant',
  edits: [
    {
      file: 'packages/client/src/consumer/releases.ts',
      find: 'lane.beginDrain();',
      replace:
        'await this.#port.partitions.release(lane.fence).catch(() => {}); this.unclaim(lane.key, lane.claim); lane.beginDrain();',
    },
    {
      file: RELEASE,
      find: "redis.call('HDEL', ownership, 'nonce', 'owner')",
      replace: "redis.call('HDEL', ownership, 'owner')",
    },
    {
      file: PARTITION_MODEL,
      find: 'this.#stored = { ...stored, owner: null, nonce: null };',
      replace: 'this.#stored = { ...stored, owner: null };',
    },
  ],
  expect: ['stale-commit-accepted', 'unowned-delivery', 'excess-redelivery'],
};

const MODEL_SERVER_FENCE: readonly Edit[] = [
  {
    file: PARTITION_MODEL,
    find: 'commit(fence: Fence, offset: number, fingerprint: string): CommitResult {\n    if (fence.server !== this.server) return this.#changed();',
    replace: 'commit(fence: Fence, offset: number, fingerprint: string): CommitResult {',
  },
];

/**
 * A member goes on where it stood when the server has become another one. Three things tell it otherwise: the look at
 * the server after a reconnect, the server that its commits carry, and the server that a read asks for behind it.
 */
const noRewind: Mutant = {
  name: 'no-rewind-after-failover',
  edits: [
    {
      file: 'packages/client/src/consumer/group-member.ts',
      find: "this.#ownership.loseAll('server-changed'",
      replace: "void ('server-changed'",
    },
    { file: COMMIT, find: 'if server ~= acquiredAt then', replace: 'if false then' },
    {
      file: 'packages/redis/src/log/read-batches.ts',
      find: 'if (present !== null && positions.some(',
      replace: 'if (present === undefined && positions.some(',
    },
    ...MODEL_SERVER_FENCE,
  ],
  expect: ['truncation-silent', 'unseen'],
};

/** Logs are trimmed at every look, whoever has still to consume what was there. */
const trimPastGroup: Mutant = {
  name: 'trim-past-group',
  edits: [
    {
      file: TRIM,
      find: "committed = math.min(committed, tonumber(redis.call('HGET', KEYS[index], 'committed')) or 0)",
      replace: 'committed = logEnd',
    },
    { file: TRIM, find: 'keepMs = tonumber(keepMs) or defaultKeepMs', replace: 'keepMs = 0' },
    {
      file: LOG_MODEL,
      find: 'const lowest = committed.length === 0 ? 0 : Math.min(...committed);',
      replace: 'const lowest = committed.length === 0 ? 0 : this.#end;',
    },
    {
      file: LOG_MODEL,
      find: "const keepMs = trimCommittedAfterMs === 'never' ? Infinity : trimCommittedAfterMs;",
      replace: "const keepMs = trimCommittedAfterMs === 'never' ? 0 : 0;",
    },
    {
      file: 'packages/client/src/consumer/leading/leader-settings.ts',
      find: 'export const SWEEP_UNDECIDED_MS = 10_000;',
      replace: 'export const SWEEP_UNDECIDED_MS = 500;',
    },
    {
      file: 'packages/client/src/consumer/leading/leader-settings.ts',
      find: 'export const SWEEP_FIRST_MS = 60_000;',
      replace: 'export const SWEEP_FIRST_MS = 500;',
    },
  ],
  expect: ['unseen'],
};

/**
 * What is left of the leader lock is never looked at, neither when it arrives nor when it was extended: a leader that was
 * overtaken goes on, and publishes once more. That costs a computation and nothing else, because every write of a leader compares the
 * leader epoch, and a leader looks at it before it computes: both are taken away.
 */
const redlockNotRechecked: Mutant = {
  name: 'redlock-not-rechecked',
  edits: [
    {
      file: LEADER_LOCK,
      find: 'if (this.#clock.monotonicMs() - startedMs > lockMs * (1 - MINIMUM_LEFT)) {',
      replace: 'if (startedMs > Infinity) {',
    },
    {
      file: LEADER_LOCK,
      find: 'return this.#clock.monotonicMs() - startedMs <= lockMs * (1 - MINIMUM_LEFT);',
      replace: 'return true;',
    },
    {
      file: REIGN,
      find: 'if (!(await this.#port.group.extendLock(LOCK_MS))) this.#port.onDeposed();',
      replace: 'await this.#port.group.extendLock(LOCK_MS);',
    },
    {
      file: REIGN,
      find: 'if (watch.leader.epoch !== this.epoch) {',
      replace: `if (watch.leader.epoch !== this.epoch) {
      this.#generation = 0;
      this.queueRebalance();
    }
    if (this.#isOver) {`,
    },
    { file: REIGN, find: 'if (snapshot.leader.epoch !== this.epoch) {', replace: 'if (this.#isOver) {' },
    {
      file: 'packages/client/src/consumer/leading/leader.ts',
      find: 'if (view.leader.epoch > this.#reign.epoch) this.#stepDown();\n      else this.#reign',
      replace: 'this.#reign',
    },
    {
      file: 'packages/redis/scripts/publish-assignment.lua',
      find: 'if current[1] ~= leaderEpoch or current[2] ~= generation then',
      replace: 'if current[2] ~= generation then',
    },
    {
      file: GROUP_MODEL,
      find: "if (leaderEpoch !== this.#leader.epoch || generation !== this.#generation) return 'STALE';\n    for",
      replace: "if (generation !== this.#generation) return 'STALE';\n    for",
    },
  ],
  expect: ['stale-publish-accepted'],
};

export const MUTANTS: readonly Mutant[] = [
  noEpochCheck,
  noNonce,
  resend,
  commitBeforeProcess,
  releaseAfterGrant,
  noRewind,
  trimPastGroup,
  redlockNotRechecked,
];
