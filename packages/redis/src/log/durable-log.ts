/**
 * Appends that are answered when enough replicas or disks have them. One WAIT speaks for every write that its
 * connection made before, so all appends that were sent up to it share it; and as a waiting connection runs nothing
 * else, there is never more than one under way: what is sent meanwhile shares the next.
 *
 *     append a, WAIT | append b, append c … (run when that WAIT is answered) | WAIT
 *
 * A WAIT speaks for its own connection only. When that closes, everything not yet confirmed fails as unknown; the same
 * append on the next connection finds the batch or stores it anew, and is waited for again.
 */
import { UnavailableError, partitionKey } from '@millrace/core';
import type { RedisConnection } from '../connection/open-connection.ts';
import type { Keys } from '../keys.ts';
import type { AppendRequest } from './append-batch.ts';
import { appendToLog, type AppendResult } from './append-to-log.ts';
import { countCopies, findShortfall, verifySupport, type Copies, type Durability } from './durability.ts';

export class DurableLog {
  readonly #connection: RedisConnection;
  readonly #keys: Keys;
  readonly #durability: Durability;
  /** That the present connection's server knows how to wait. */
  #support: Promise<void> | null = null;
  /** The WAIT that the next appends share; not sent yet. */
  #next: PromiseWithResolvers<Copies> | null = null;
  #isWaiting = false;

  /** A connection of its own, of role `writer`: waiting blocks it. Not through auto-pipelining, which reorders. */
  constructor(connection: RedisConnection, keys: Keys, durability: Durability) {
    this.#connection = connection;
    this.#keys = keys;
    this.#durability = durability;
    connection.on('close', () => this.#onClose());
  }

  /**
   * As `appendToLog`; also throws UnavailableError `NOT_REPLICATED` or `NOT_FSYNCED` when the batch is stored and too few
   * have it, and what `verifySupport` throws, before anything is stored. `execution: 'unknown'` in the details
   * of any error says that the batch may be stored.
   */
  async append(request: AppendRequest): Promise<AppendResult> {
    await this.#verify();
    const waits: Promise<Copies>[] = [];
    const result = await appendToLog(this.#connection, this.#keys, request, () => {
      waits.push(this.#share());
    });
    // A server that does not know the script has it sent twice: the WAIT behind the later one is what counts.
    const last = waits.at(-1);
    // Otherwise refused: nothing was written.
    if (last === undefined || (result.status !== 'APPENDED' && result.status !== 'DUPLICATE')) return result;
    const where = `appending to ${partitionKey(request.topic, request.partition)}`;
    const shortfall = findShortfall(this.#durability, await last, where);
    if (shortfall !== null) throw shortfall;
    return result;
  }

  /** The answer to the WAIT that follows what is sent now. */
  #share(): Promise<Copies> {
    if (this.#next === null) {
      this.#next = Promise.withResolvers();
      // An append that fails by itself does not look at it.
      this.#next.promise.catch(() => {});
      // Later in this turn, so that all partitions whose batches leave in it share one.
      if (!this.#isWaiting) queueMicrotask(() => this.#wait());
    }
    return this.#next.promise;
  }

  #wait(): void {
    const shared = this.#next;
    if (shared === null || this.#isWaiting) return;
    this.#next = null;
    this.#isWaiting = true;
    countCopies(this.#connection, this.#durability)
      .then(shared.resolve, shared.reject)
      .finally(() => {
        this.#isWaiting = false;
        this.#wait();
      });
  }

  #verify(): Promise<void> {
    this.#support ??= verifySupport(this.#connection, this.#durability).catch((error: unknown) => {
      this.#support = null;
      throw error;
    });
    return this.#support;
  }

  #onClose(): void {
    // Another server may answer next.
    this.#support = null;
    const shared = this.#next;
    this.#next = null;
    shared?.reject(
      new UnavailableError(
        'REDIS_UNREACHABLE',
        'the connection to Redis was lost before it was known who has what was written',
        { details: { execution: 'unknown' } },
      ),
    );
  }
}
