import { describe, expect, test } from 'vitest';
import { resolveConnectOptions } from '../connect/connect-options.ts';
import { resolveOptions } from '../consumer/options.ts';
import { resolveProducerOptions } from '../producer/producer-options.ts';
import { nearestName, verifyOptionNames } from './verify-option-names.ts';

const NAMES = ['acks', 'lingerMs', 'maxBatchBytes', 'maxBatchRecords', 'deliveryTimeoutMs'];

describe('nearestName', () => {
  test.each<[string, string | null]>([
    ['ack', 'acks'],
    ['acsk', 'acks'],
    ['linger', 'lingerMs'],
    ['lingerms', 'lingerMs'],
    ['maxBatchByte', 'maxBatchBytes'],
    ['maxBatchRecord', 'maxBatchRecords'],
    ['deliveryTimeout', 'deliveryTimeoutMs'],
    ['compression', null],
    ['x', null],
    ['', null],
  ])('%s → %s', (given, expected) => {
    expect(nearestName(given, NAMES)).toBe(expected);
  });
});

test('what is far from all of them is answered with all of them', () => {
  const options: { one?: number; two?: number } = { zebra: 1 } as object;
  expect(() => verifyOptionNames('option', options, { one: true, two: true })).toThrow(
    'there is no option "zebra"; there are: one, two',
  );
});

describe('each resolver', () => {
  const consumer = { group: 'g', topics: ['t'] };
  test.each<[string, () => unknown, string]>([
    [
      'producer',
      () => resolveProducerOptions({ ack: 'fsynced' } as object),
      'no producer option "ack"; did you mean "acks"?',
    ],
    [
      'consumer',
      () => resolveOptions({ ...consumer, leaseTime: 1 } as never),
      'no consumer option "leaseTime"; there are: group, ',
    ],
    [
      'consumer, from kafkajs',
      () => resolveOptions({ ...consumer, groupId: 'g' } as never),
      'no consumer option "groupId"',
    ],
    [
      'retry',
      () => resolveOptions({ ...consumer, retry: { maxAttempt: 3 } } as never),
      'no consumer option "retry" "maxAttempt"; did you mean "maxAttempts"?',
    ],
    [
      'connect',
      () => resolveConnectOptions({ prefx: 'a' } as object, {}),
      'no connect option "prefx"; did you mean "prefix"?',
    ],
    [
      'tls',
      () => resolveConnectOptions({ url: 'rediss://h', tls: { rejectUnauthorized: false } as object }, {}),
      'no connect option "tls" "rejectUnauthorized"; there are: ca, ',
    ],
    [
      'sentinel',
      () => resolveConnectOptions({ sentinel: { nam: 'main', sentinels: ['h'] } as never }, {}),
      'no connect option "sentinel" "nam"; did you mean "name"?',
    ],
    [
      'cluster',
      () => resolveConnectOptions({ cluster: { seed: ['redis://h'] } as never }, {}),
      'no connect option "cluster" "seed"; did you mean "seeds"?',
    ],
  ])('%s', (_name, resolve, message) => {
    expect(resolve).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(message) }),
    );
  });

  test('an option that is there and undefined is none that is misspelled', () => {
    expect(() => resolveProducerOptions({ acks: undefined })).not.toThrow();
  });
});
