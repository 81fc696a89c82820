/**
 * Every error that Millrace throws or emits, in one table. Classes follow what the caller can do about it, so that
 * `instanceof` picks the reaction and `code` names the case. Outcomes that are part of normal work (a fenced commit,
 * a claim that is held by somebody else) are return values and not errors.
 *
 * Kept in core because the redis and the client package throw the same ones.
 */

type ErrorKind = 'config' | 'unavailable' | 'fenced' | 'data' | 'handler' | 'closed';

const ERRORS = {
  INVALID_NAME: 'config',
  INVALID_OPTION: 'config',
  UNKNOWN_TOPIC: 'config',
  TOPIC_EXISTS: 'config',
  FEWER_PARTITIONS: 'config',
  UNKNOWN_PARTITION: 'config',
  UNKNOWN_GROUP: 'config',
  GROUP_NOT_EMPTY: 'config',
  RECORD_TOO_LARGE: 'config',
  INVALID_RECORD: 'config',
  INVALID_ASSIGNMENT: 'config',
  DUPLICATE_INSTANCE_ID: 'config',
  PROTOCOL_MISMATCH: 'config',
  REDIS_TOO_OLD: 'config',
  AUTHENTICATION_FAILED: 'config',
  PERMISSION_DENIED: 'config',
  TLS_FAILED: 'config',
  NO_COMMITTED_OFFSET: 'config',
  REDIS_UNREACHABLE: 'unavailable',
  REDIS_REFUSED: 'unavailable',
  TIMED_OUT: 'unavailable',
  DELIVERY_TIMED_OUT: 'unavailable',
  BUFFER_FULL: 'unavailable',
  TOO_MANY_PRODUCERS: 'unavailable',
  TOPIC_FULL: 'unavailable',
  NOT_REPLICATED: 'unavailable',
  NOT_FSYNCED: 'unavailable',
  FENCED: 'fenced',
  PRODUCER_FENCED: 'fenced',
  LEASE_LOST: 'fenced',
  OFFSET_OUT_OF_RANGE: 'data',
  LOG_TRUNCATED: 'data',
  CORRUPT_BATCH: 'data',
  UNSUPPORTED_BATCH_VERSION: 'data',
  FOREIGN_ENTRY: 'data',
  CORRUPT_CATALOGUE: 'data',
  UNDECODABLE_RECORD: 'data',
  UNEXPECTED_REPLY: 'data',
  HANDLER_FAILED: 'handler',
  HANDLER_TIMED_OUT: 'handler',
  EVENT_LOOP_BLOCKED: 'handler',
  PARTITION_HALTED: 'handler',
  CLOSED: 'closed',
} as const satisfies Record<string, ErrorKind>;

/** Stable, documented name of one error case. */
export type ErrorCode = keyof typeof ERRORS;

type CodeOf<K extends ErrorKind> = {
  [C in ErrorCode]: (typeof ERRORS)[C] extends K ? C : never;
}[ErrorCode];

export interface ErrorOptionsWithDetails {
  readonly cause?: unknown;
  /** Facts for programs: topic, partition, offset, limits. Never a payload, never a credential. */
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

/** Base of every Millrace error. `code` is stable; the message is for people and may change. */
export class MillraceError extends Error {
  readonly code: ErrorCode;
  /** True when the same call may succeed later without any change. */
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, string | number | boolean>>;

  constructor(code: ErrorCode, message: string, options: ErrorOptionsWithDetails = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = ERRORS[code] === 'unavailable';
    this.details = options.details ?? {};
    this.name = new.target.name;
  }
}

/** The call or the configuration is wrong: fix it, a retry cannot help. */
export class ConfigError extends MillraceError {
  constructor(code: CodeOf<'config'>, message: string, options?: ErrorOptionsWithDetails) {
    super(code, message, options);
  }
}

/** Redis or the way to it is in trouble: the same call may succeed later. */
export class UnavailableError extends MillraceError {
  constructor(code: CodeOf<'unavailable'>, message: string, options?: ErrorOptionsWithDetails) {
    super(code, message, options);
  }
}

/** A newer owner exists: stop this work, its result must not be used. */
export class FencedError extends MillraceError {
  constructor(code: CodeOf<'fenced'>, message: string, options?: ErrorOptionsWithDetails) {
    super(code, message, options);
  }
}

/** What is stored is not what it must be: nothing was skipped, somebody has to look. */
export class DataError extends MillraceError {
  constructor(code: CodeOf<'data'>, message: string, options?: ErrorOptionsWithDetails) {
    super(code, message, options);
  }
}

/** The user's handler failed, hangs, or keeps the event loop from turning. */
export class HandlerError extends MillraceError {
  constructor(code: CodeOf<'handler'>, message: string, options?: ErrorOptionsWithDetails) {
    super(code, message, options);
  }
}

/** The client, producer or consumer was closed. */
export class ClosedError extends MillraceError {
  constructor(message: string, options?: ErrorOptionsWithDetails) {
    super('CLOSED', message, options);
  }
}

/** The error of a code that crossed a thread or process boundary, where classes are lost. */
export function errorFromCode(
  code: ErrorCode,
  message: string,
  options?: ErrorOptionsWithDetails,
): MillraceError {
  switch (ERRORS[code]) {
    case 'config':
      return new ConfigError(code as CodeOf<'config'>, message, options);
    case 'unavailable':
      return new UnavailableError(code as CodeOf<'unavailable'>, message, options);
    case 'fenced':
      return new FencedError(code as CodeOf<'fenced'>, message, options);
    case 'data':
      return new DataError(code as CodeOf<'data'>, message, options);
    case 'handler':
      return new HandlerError(code as CodeOf<'handler'>, message, options);
    case 'closed':
      return new ClosedError(message, options);
    default:
      return ERRORS[code] satisfies never;
  }
}
