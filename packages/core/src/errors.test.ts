import { expect, test } from 'vitest';
import {
  ClosedError,
  ConfigError,
  DataError,
  errorFromCode,
  FencedError,
  HandlerError,
  MillraceError,
  UnavailableError,
  type ErrorCode,
} from './errors.ts';

type ErrorClass = new (...args: never[]) => MillraceError;

/** What a caller is told about each case. Written out once more, and the compiler sees to it that none is missing. */
const CLASSES: Readonly<Record<ErrorCode, ErrorClass>> = {
  INVALID_NAME: ConfigError,
  INVALID_OPTION: ConfigError,
  UNKNOWN_TOPIC: ConfigError,
  TOPIC_EXISTS: ConfigError,
  FEWER_PARTITIONS: ConfigError,
  UNKNOWN_PARTITION: ConfigError,
  UNKNOWN_GROUP: ConfigError,
  GROUP_NOT_EMPTY: ConfigError,
  RECORD_TOO_LARGE: ConfigError,
  INVALID_RECORD: ConfigError,
  INVALID_ASSIGNMENT: ConfigError,
  DUPLICATE_INSTANCE_ID: ConfigError,
  PROTOCOL_MISMATCH: ConfigError,
  REDIS_TOO_OLD: ConfigError,
  AUTHENTICATION_FAILED: ConfigError,
  PERMISSION_DENIED: ConfigError,
  TLS_FAILED: ConfigError,
  NO_COMMITTED_OFFSET: ConfigError,
  REDIS_UNREACHABLE: UnavailableError,
  REDIS_REFUSED: UnavailableError,
  TIMED_OUT: UnavailableError,
  DELIVERY_TIMED_OUT: UnavailableError,
  BUFFER_FULL: UnavailableError,
  TOO_MANY_PRODUCERS: UnavailableError,
  TOPIC_FULL: UnavailableError,
  NOT_REPLICATED: UnavailableError,
  NOT_FSYNCED: UnavailableError,
  FENCED: FencedError,
  PRODUCER_FENCED: FencedError,
  LEASE_LOST: FencedError,
  OFFSET_OUT_OF_RANGE: DataError,
  LOG_TRUNCATED: DataError,
  CORRUPT_BATCH: DataError,
  UNSUPPORTED_BATCH_VERSION: DataError,
  FOREIGN_ENTRY: DataError,
  CORRUPT_CATALOGUE: DataError,
  UNDECODABLE_RECORD: DataError,
  UNEXPECTED_REPLY: DataError,
  HANDLER_FAILED: HandlerError,
  HANDLER_TIMED_OUT: HandlerError,
  EVENT_LOOP_BLOCKED: HandlerError,
  PARTITION_HALTED: HandlerError,
  CLOSED: ClosedError,
};

test.each(Object.entries(CLASSES) as [ErrorCode, ErrorClass][])('%s has its class', (code, expected) => {
  const error = errorFromCode(code, 'what happened');
  expect(error).toBeInstanceOf(expected);
  expect(error).toBeInstanceOf(MillraceError);
  expect(error).toMatchObject({ name: expected.name, code, message: 'what happened' });
  // Only where Redis or the way to it is in trouble can the same call succeed later.
  expect(error.retryable).toBe(expected === UnavailableError);
});

test('facts and cause are kept', () => {
  const cause = new Error('socket closed');
  const error = errorFromCode('TIMED_OUT', 'no answer', {
    cause,
    details: { topic: 'orders', partition: 3 },
  });
  expect(error.cause).toBe(cause);
  expect(error.details).toEqual({ topic: 'orders', partition: 3 });
});

test('without a cause there is none, not one that is undefined', () => {
  const error = new ConfigError('INVALID_NAME', 'bad');
  expect(Object.hasOwn(error, 'cause')).toBe(false);
  expect(error.details).toEqual({});
});

test('a code of another class is refused by the compiler', () => {
  // @ts-expect-error FENCED is no ConfigError: class and code cannot disagree.
  expect(new ConfigError('FENCED', 'x').retryable).toBe(false);
});
