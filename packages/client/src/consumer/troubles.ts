/**
 * Where a consumer's troubles go: the `error` event, and the log when nobody listens. While Redis is away many calls
 * fail at once, and again with every attempt: those are one event a second, not a thousand.
 */
import { ConfigError, HandlerError, type Clock, type MillraceError } from '@millrace/core';
import { toMillraceError } from '@millrace/redis';
import type { Logger } from '../logging/logger.ts';
import type { ConsumerEmitter } from './consumer-events.ts';

const QUIET_MS = 1_000;

export class Troubles {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #emitter: ConsumerEmitter;
  readonly #group: string;
  readonly #onUnheard: (error: MillraceError) => void;
  #lastTransportMs = Number.NEGATIVE_INFINITY;

  constructor(
    clock: Clock,
    logger: Logger,
    emitter: ConsumerEmitter,
    group: string,
    onUnheard: (error: MillraceError) => void,
  ) {
    this.#clock = clock;
    this.#logger = logger;
    this.#emitter = emitter;
    this.#group = group;
    this.#onUnheard = onUnheard;
  }

  report(error: MillraceError): void {
    this.#logger.warn({ err: error, code: error.code, group: this.#group }, error.message);
    if (!this.#emitter.emit('error', error)) this.#onUnheard(error);
  }

  reportTransport(error: unknown, during: string): void {
    const mapped = toMillraceError(error, during);
    const nowMs = this.#clock.monotonicMs();
    if (mapped.retryable && nowMs - this.#lastTransportMs < QUIET_MS) {
      this.#logger.debug({ code: mapped.code, group: this.#group }, mapped.message);
      return;
    }
    this.#lastTransportMs = nowMs;
    this.report(mapped);
  }
}

export function whileBlocked(blockedMs: number, eventLoopTimeoutMs: number): HandlerError {
  const roundedMs = Math.round(blockedMs);
  return new HandlerError(
    'EVENT_LOOP_BLOCKED',
    `the event loop stood still for ${roundedMs} ms, a handler computes without pause: move the work to a worker thread; ` +
      `after ${eventLoopTimeoutMs} ms the partitions are given to others`,
    { details: { blockedMs: roundedMs } },
  );
}

export function replacedBy(group: string, instanceId: string): ConfigError {
  return new ConfigError(
    'DUPLICATE_INSTANCE_ID',
    `another process has joined group ${group} as instance "${instanceId}": give every process its own; this consumer stops`,
    { details: { group, instanceId } },
  );
}
