/**
 * Asks Redis how many have a connection's writes: WAIT counts replicas that have them in memory, WAITAOF (Redis 7.2)
 * counts who has them on disk. Both answer with a count when their time is over, too: the count decides, not the reply.
 * Neither is consensus. A failover may choose a replica that was not counted, and what was counted is not taken back.
 */
import { ConfigError, UnavailableError, type MillraceError } from '@millrace/core';
import type { RedisConnection } from '../connection/open-connection.ts';
import { toMillraceError } from '../connection/to-millrace-error.ts';

export interface Durability {
  /** In the memory of replicas; or on the disk of the primary, and of replicas where `replicas` is above 0. */
  readonly acks: 'replicated' | 'fsynced';
  readonly replicas: number;
  /** How long Redis waits for them before it answers with what there is, milliseconds, above 0 (0 is for ever). */
  readonly timeoutMs: number;
}

/** Who has all writes that the connection had made when it asked. */
export interface Copies {
  readonly replicas: number;
  /** The primary itself, on disk. Always false for `replicated`, which does not ask for it. */
  readonly isOnDisk: boolean;
}

export type WaitingConnection = Pick<RedisConnection, 'wait' | 'call'>;

/**
 * Blocks the connection: nothing sent behind it runs before it is answered. Throws ConfigError `REDIS_TOO_OLD`,
 * `INVALID_OPTION` or `PERMISSION_DENIED` where the server cannot do it, and UnavailableError; that says
 * `execution: 'unknown'`, because whatever was written before may have been stored.
 */
export async function countCopies(connection: WaitingConnection, durability: Durability): Promise<Copies> {
  const { acks, replicas, timeoutMs } = durability;
  try {
    if (acks === 'replicated') {
      return { replicas: await connection.wait(replicas, timeoutMs), isOnDisk: false };
    }
    const reply = (await connection.call('WAITAOF', 1, replicas, timeoutMs)) as readonly number[];
    return { replicas: reply[1] ?? 0, isOnDisk: reply[0] === 1 };
  } catch (error) {
    throw waitError(error, durability);
  }
}

/** Asks for nothing, at once: throws what `countCopies` would throw before anything is written. */
export async function verifySupport(connection: WaitingConnection, durability: Durability): Promise<void> {
  await countCopies(connection, { ...durability, replicas: 0, timeoutMs: 1 });
}

/** `null` when enough have it. Otherwise retryable: the same batch, appended again, is found and waited for anew. */
export function findShortfall(
  { acks, replicas }: Durability,
  copies: Copies,
  where: string,
): UnavailableError | null {
  const isShort = copies.replicas < replicas;
  const details = { asked: replicas, got: copies.replicas, execution: 'unknown' };
  if (acks === 'replicated') {
    if (!isShort) return null;
    return new UnavailableError(
      'NOT_REPLICATED',
      `${where}: stored by the primary, but only ${copies.replicas} of the ${replicas} replicas asked for confirmed it: ` +
        'see connected_slaves and the lag of each in INFO replication',
      { details },
    );
  }
  if (copies.isOnDisk && !isShort) return null;
  const missing = copies.isOnDisk
    ? `only ${copies.replicas} of the ${replicas} replicas asked for have it on disk`
    : 'it is not on the disk of the primary';
  return new UnavailableError(
    'NOT_FSYNCED',
    `${where}: stored by the primary, but ${missing}: see aof_last_write_status and aof_delayed_fsync in INFO persistence`,
    { details: { ...details, isOnDisk: copies.isOnDisk } },
  );
}

/** The one place that reads the text of what WAIT and WAITAOF answer. */
function waitError(error: unknown, { acks }: Durability): MillraceError {
  const where = acks === 'replicated' ? 'waiting for replicas (WAIT)' : 'waiting for the disk (WAITAOF)';
  const text = error instanceof Error ? error.message : '';
  if (/^ERR unknown command/i.test(text)) {
    return new ConfigError(
      'REDIS_TOO_OLD',
      acks === 'fsynced'
        ? "acks 'fsynced' needs Redis 7.2 or newer: this server does not know the command WAITAOF"
        : "acks 'replicated' needs the command WAIT, which this server does not know",
    );
  }
  if (/appendonly is disabled/i.test(text)) {
    return new ConfigError(
      'INVALID_OPTION',
      'acks \'fsynced\' needs a server with "appendonly yes": this one writes nothing to disk that could be waited for',
      { details: { setting: 'appendonly' } },
    );
  }
  // Demoted under our feet. The next append is refused by it (READONLY), and the driver connects anew.
  if (/^UNBLOCKED\b/.test(text) || /replica instances/i.test(text)) {
    return new UnavailableError(
      'REDIS_REFUSED',
      `${where}: this server has become a replica: nobody can say whether the new primary has what was written`,
      { details: { execution: 'unknown' } },
    );
  }
  const known = toMillraceError(error, where);
  if (!known.retryable) return known;
  return new UnavailableError('REDIS_UNREACHABLE', known.message, {
    cause: known.cause,
    details: { execution: 'unknown' },
  });
}
