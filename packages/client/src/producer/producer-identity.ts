/**
 * Who a producer is to the partitions it writes to: an id, and epochs that only rise. A partition refuses what comes
 * with a lower epoch than it has seen, so a batch that was given up cannot arrive behind one of the next epoch.
 */
import { FencedError, type Random } from '@millrace/core';
import type { RaiseProducerEpochResult } from '@millrace/redis';

export interface ProducerIdentity {
  readonly id: string;
  /** An epoch above `epoch`, at once where that is known. -1 asks for any. May throw or reject like any Redis call. */
  epochAbove(epoch: number): number | Promise<number>;
}

/** Nobody else has this id, so nobody else needs to know its epochs. */
export class OwnIdentity implements ProducerIdentity {
  readonly id: string;
  #epoch = 0;

  constructor(random: Pick<Random, 'nonce'>) {
    this.id = random.nonce();
  }

  epochAbove(epoch: number): number {
    this.#epoch = Math.max(this.#epoch, epoch + 1);
    return this.#epoch;
  }
}

/** Asks Redis for a higher epoch; `isTaking` takes the name from whoever holds it. */
export type RaiseEpoch = (session: string, isTaking: boolean) => Promise<RaiseProducerEpochResult>;

/**
 * An id that others may use, too: a later instance, or an earlier one that is not dead. Epochs come from Redis. Only
 * who took the name last may raise its epoch, or an old instance would shut out its successor.
 */
export class NamedIdentity implements ProducerIdentity {
  readonly id: string;
  readonly #session: string;
  readonly #raise: RaiseEpoch;
  #epoch = -1;
  #raising: Promise<number> | null = null;

  constructor(id: string, random: Pick<Random, 'nonce'>, raise: RaiseEpoch) {
    this.id = id;
    this.#session = random.nonce();
    this.#raise = raise;
  }

  epochAbove(epoch: number): number | Promise<number> {
    // Raised for another partition in the meantime: this one has not seen it yet.
    if (this.#epoch > epoch) return this.#epoch;
    this.#raising ??= this.#raiseOnce().finally(() => (this.#raising = null));
    return this.#raising;
  }

  async #raiseOnce(): Promise<number> {
    const result = await this.#raise(this.#session, this.#epoch === -1);
    if (result.status === 'FENCED') throw producerFenced(this.id);
    this.#epoch = result.epoch;
    return result.epoch;
  }
}

export function producerFenced(producerId: string): FencedError {
  return new FencedError(
    'PRODUCER_FENCED',
    `a newer producer with producerId "${producerId}" is at work: close this one, its records are refused`,
    { details: { producerId } },
  );
}
