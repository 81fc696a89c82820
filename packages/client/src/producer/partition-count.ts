/**
 * The number of partitions of one topic, as it was last seen. Asked for when the first record is sent, again by the way
 * once it is old and records are still sent (an idle producer asks nothing), and when something does not fit it.
 */
import type { Clock, MillraceError, Timer } from '@millrace/core';
import { toMillraceError } from '@millrace/redis';

export interface CountContext {
  readonly clock: Clock;
  /** null where there is no such topic. */
  countPartitions(topic: string): Promise<number | null>;
}

export interface CountOwner {
  /** The number is there, or there is no such topic (null), or it cannot be had. */
  counted(partitions: number | null): void;
  failed(error: MillraceError): void;
}

const MAX_AGE_MS = 30_000;
const RETRY_MS = 100;

export class PartitionCount {
  readonly #topic: string;
  readonly #context: CountContext;
  readonly #owner: CountOwner;
  #value = 0;
  #countedMs = -Infinity;
  #isCounting = false;
  #retry: Timer | null = null;
  /** Why there is no number yet. */
  lastError: MillraceError | null = null;

  constructor(topic: string, context: CountContext, owner: CountOwner) {
    this.#topic = topic;
    this.#context = context;
    this.#owner = owner;
  }

  /** 0 while unknown. Asks for nothing and looks at no clock. */
  get known(): number {
    return this.#value;
  }

  /** 0 while unknown; then it is being asked for. */
  get(): number {
    if (this.#value === 0) this.#count();
    else this.refreshIfOld(this.#context.clock.monotonicMs());
    return this.#value;
  }

  refreshIfOld(nowMs: number): void {
    if (nowMs - this.#countedMs > MAX_AGE_MS) this.#count();
  }

  /** True when it was asked for after that time. Otherwise it is asked for now. */
  isFresherThan(monotonicMs: number): boolean {
    if (this.#countedMs >= monotonicMs) return true;
    this.#count();
    return false;
  }

  /** Asks now. Rejects when Redis cannot be asked. */
  async refresh(): Promise<number | null> {
    const askedMs = this.#context.clock.monotonicMs();
    const partitions = await this.#context.countPartitions(this.#topic);
    this.#value = partitions ?? 0;
    this.#countedMs = askedMs;
    this.lastError = null;
    return partitions;
  }

  retryNow(): void {
    if (this.#retry !== null) this.#count();
  }

  stop(): void {
    this.#retry?.cancel();
    this.#retry = null;
  }

  #count(): void {
    if (this.#isCounting) return;
    this.#isCounting = true;
    this.stop();
    this.refresh().then(
      (partitions) => {
        this.#isCounting = false;
        this.#owner.counted(partitions);
      },
      (thrown: unknown) => {
        this.#isCounting = false;
        this.#failed(toMillraceError(thrown, `looking up topic "${this.#topic}"`));
      },
    );
  }

  #failed(error: MillraceError): void {
    this.lastError = error;
    if (!error.retryable) this.#owner.failed(error);
    // With an old number at hand there is no hurry: records that are sent later ask again.
    else if (this.#value === 0) this.#retry = this.#context.clock.startTimer(RETRY_MS, () => this.#count());
    else this.#countedMs = this.#context.clock.monotonicMs();
  }
}
