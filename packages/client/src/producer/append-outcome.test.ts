import { UnavailableError } from '@millrace/core';
import { describe, expect, test } from 'vitest';
import { reactionTo, readThrownAppend } from './append-outcome.ts';

const attempt = { topic: 'orders', partition: 3, producerId: 'p', sequence: 100 };

describe('reactionTo', () => {
  test('an unknown partition is looked up, an unknown producer begins anew', () => {
    expect(reactionTo({ status: 'UNKNOWN_PARTITION' }, attempt)).toEqual({ type: 'look-up' });
    expect(reactionTo({ status: 'UNKNOWN_PRODUCER' }, attempt)).toEqual({ type: 'new-epoch' });
  });

  test('a newer epoch puts the producer out', () => {
    const error = expect.objectContaining({ code: 'PRODUCER_FENCED', retryable: false });
    expect(reactionTo({ status: 'PRODUCER_FENCED', epoch: 9 }, attempt)).toEqual({ type: 'fenced', error });
    expect(reactionTo({ status: 'OUT_OF_ORDER_SEQUENCE', expected: 101 }, attempt)).toEqual({
      type: 'fenced',
      error,
    });
  });

  test.each([0, 99])('a log that expects record %i has lost what came after', (expected) => {
    const reaction = reactionTo({ status: 'OUT_OF_ORDER_SEQUENCE', expected }, attempt);
    const details = { topic: 'orders', partition: 3, lost: 100 - expected };
    expect(reaction).toEqual({
      type: 'truncated',
      error: expect.objectContaining({ code: 'LOG_TRUNCATED', details }),
    });
  });

  test('a batch that only other scripts would take is a matter of versions', () => {
    const reaction = reactionTo({ status: 'TOO_LARGE', maxBytes: 10, maxRecords: 1 }, attempt);
    expect(reaction).toEqual({ type: 'fail', error: expect.objectContaining({ code: 'RECORD_TOO_LARGE' }) });
  });
});

describe('readThrownAppend', () => {
  test.each([
    ['Connection is closed.', true],
    ["Socket timeout. Expecting data, but didn't receive any in 10000ms.", true],
    ['ERR user_script:3: something', true],
    ["Stream isn't writeable and enableOfflineQueue options is false", false],
    ['OOM command not allowed', false],
    ['LOADING Redis is loading', false],
  ])('after "%s" the batch may be stored: %s', (message, mayBeWritten) => {
    expect(readThrownAppend(new Error(message), 'appending').mayBeWritten).toBe(mayBeWritten);
  });

  test('an error that the log made of a reply stored nothing', () => {
    const error = new UnavailableError('TOO_MANY_PRODUCERS', 'full');
    expect(readThrownAppend(error, 'appending')).toEqual({ error, mayBeWritten: false });
  });

  test('an error that says that it does not know may have stored it', () => {
    const error = new UnavailableError('NOT_REPLICATED', 'too few', { details: { execution: 'unknown' } });
    expect(readThrownAppend(error, 'appending')).toEqual({ error, mayBeWritten: true });
  });
});
