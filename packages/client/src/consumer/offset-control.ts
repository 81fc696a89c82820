/** What users do to offsets by hand: commit, seek. The checks, the fence, the line in the group's history. */
import {
  ConfigError,
  FencedError,
  partitionKey,
  type Clock,
  type GroupStore,
  type PartitionKey,
  type PartitionStore,
  type Random,
  type SeekResult,
} from '@millrace/core';
import { toMillraceError } from '@millrace/redis';
import { delay } from '../clock/delay.ts';
import type { Identity } from './identity.ts';
import type { Lane } from './lane.ts';

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export interface TopicPartitionOffset extends TopicPartition {
  /** The next record to consume: one behind the last that is done. */
  readonly offset: number;
}

export interface OwnedLanes {
  /** Those that are being drained, too: the handlers that are waited for may still commit. */
  lane(key: PartitionKey): Lane | undefined;
  unreleasedLanes(): Iterable<Lane>;
}

export interface SeekPort {
  readonly owned: OwnedLanes;
  readonly partitions: PartitionStore;
  readonly group: GroupStore;
  readonly clock: Clock;
  readonly random: Random;
  identity(): Identity | null;
  onTransportFailure(error: unknown, during: string): void;
}

const RETRY_MS = 200;
/** The heir waits: where Redis stays away, the partition is given up with the seek unanswered. */
const ATTEMPTS_IN_DRAIN = 5;

/** Without `offsets`: all that is processed. Throws `INVALID_OPTION`, `FENCED`, or what a lost connection gives. */
export async function commitOffsets(
  owned: OwnedLanes,
  offsets?: readonly TopicPartitionOffset[],
): Promise<void> {
  const lanes: Lane[] = [];
  if (offsets === undefined) {
    for (const lane of owned.unreleasedLanes()) {
      lane.commits.note(lane.position);
      lanes.push(lane);
    }
  } else {
    for (const offset of offsets) lanes.push(note(owned, offset));
  }
  await Promise.all(lanes.map((lane) => flushCommits(lane)));
}

function note(owned: OwnedLanes, { topic, partition, offset }: TopicPartitionOffset): Lane {
  const lane = ownedLane(owned, partitionKey(topic, partition), 'commit');
  if (!Number.isSafeInteger(offset) || offset < 0 || offset > lane.delivered) {
    throw new ConfigError(
      'INVALID_OPTION',
      `commit: offset ${String(offset)} of ${lane.key} is not the next after a delivered record (at most ${lane.delivered})`,
    );
  }
  if (offset < lane.commits.committed) {
    throw new ConfigError(
      'INVALID_OPTION',
      `commit: ${lane.key} is committed up to ${lane.commits.committed} already, ${offset} would go back: use seek() for that`,
    );
  }
  lane.commits.note(offset);
  return lane;
}

/** Commits what is noted, now. Throws `FENCED`, or what a lost connection gives. */
export async function flushCommits(lane: Lane): Promise<void> {
  try {
    await lane.commits.flush();
  } catch (error) {
    throw toMillraceError(error, `commit of ${lane.key}`);
  }
  if (lane.phase === 'ended' && lane.commits.committed < lane.commits.processed) throw fenced(lane);
}

/**
 * Throws `INVALID_OPTION` when the partition is not owned or the log does not hold the offset, `FENCED` when it is lost,
 * or what a lost connection gives when it was lost before Redis can have heard of the seek.
 */
export async function seekOffset(
  port: SeekPort,
  { topic, partition, offset }: TopicPartitionOffset,
): Promise<void> {
  if (!Number.isSafeInteger(offset) || offset < 0) {
    throw new ConfigError('INVALID_OPTION', `seek: offset must be an integer from 0, got ${String(offset)}`);
  }
  const lane = ownedLane(port.owned, partitionKey(topic, partition), 'seek');
  let from = 0;
  await lane.commits.restart(async () => {
    const nextNonce = port.random.nonce();
    const result = await untilAnswered(port, lane, () => port.partitions.seek(lane.fence, offset, nextNonce));
    switch (result.status) {
      case 'SOUGHT':
        from = result.from ?? lane.commits.committed;
        lane.restartAt(offset, nextNonce);
        return offset;
      case 'FENCED':
        lane.lose('fenced', true);
        throw fenced(lane);
      case 'SERVER_CHANGED':
        lane.lose('server-changed', true);
        throw fenced(lane);
      case 'OUT_OF_RANGE':
        throw new ConfigError(
          'INVALID_OPTION',
          `seek: ${lane.key} holds ${result.logStart} to ${result.logEnd}, offset ${offset} is outside`,
        );
      default:
        return result satisfies never;
    }
  });
  await port.group.appendEvent('offset-sought', {
    partition: lane.key,
    from: String(from),
    to: String(offset),
    member: port.identity()?.memberId ?? '',
  });
}

/**
 * A seek that was executed has changed the nonce, so the owner cannot go on before it knows: it repeats what Redis may
 * have heard of, and the repetition is answered as the first call would have been. Taking the lane for lost instead was
 * rejected: every lost reply would stop a partition, and its heir begins where the user may have sought away from.
 */
async function untilAnswered(
  port: SeekPort,
  lane: Lane,
  seek: () => Promise<SeekResult>,
): Promise<SeekResult> {
  const during = `seek of ${lane.key}`;
  let mayBeExecuted = false;
  for (let attemptsInDrain = 0; ;) {
    try {
      return await seek();
    } catch (error) {
      const failure = toMillraceError(error, during);
      mayBeExecuted ||= failure.details['execution'] !== 'none';
      if (lane.phase === 'draining') attemptsInDrain++;
      const isOver = lane.phase === 'ended' || attemptsInDrain === ATTEMPTS_IN_DRAIN;
      // Where it was executed after all, the next commit is refused and the partition is acquired anew.
      if (!mayBeExecuted || !failure.retryable || isOver) throw failure;
      port.onTransportFailure(failure, during);
      await delay(port.clock, RETRY_MS);
    }
  }
}

function ownedLane(owned: OwnedLanes, key: PartitionKey, what: string): Lane {
  const lane = owned.lane(key);
  if (lane === undefined) {
    throw new ConfigError('INVALID_OPTION', `${what}: partition ${key} is not owned by this consumer`);
  }
  return lane;
}

function fenced(lane: Lane): FencedError {
  return new FencedError('FENCED', `the ownership of ${lane.key} is over: what it asked for was refused`, {
    details: { topic: lane.topic, partition: lane.partition, epoch: lane.epoch },
  });
}
