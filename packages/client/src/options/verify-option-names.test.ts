import { describe, expect, test } from 'vitest';
import { resolveConnectOptions } from '../connect/connect-options.ts';
import { resolveOptions } from '../consumer/options.ts';
import { resolveProducerOptions } from '../producer/producer-options.ts';
import { nearestName, verifyListener, verifyOptionNames, type OptionNames } from './verify-option-names.ts';

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
      'no consumer option "retry.maxAttempt"; did you mean "retry.maxAttempts"?',
    ],
    [
      'connect',
      () => resolveConnectOptions({ prefx: 'a' } as object, {}),
      'no connect option "prefx"; did you mean "prefix"?',
    ],
    [
      'tls',
      () => resolveConnectOptions({ url: 'rediss://h', tls: { rejectUnauthorized: false } as object }, {}),
      'no connect option "tls.rejectUnauthorized"; there are: ca, ',
    ],
    [
      'sentinel',
      () => resolveConnectOptions({ sentinel: { nam: 'main', sentinels: ['h'] } as never }, {}),
      'no connect option "sentinel.nam"; did you mean "sentinel.name"?',
    ],
    [
      'cluster',
      () => resolveConnectOptions({ cluster: { seed: ['redis://h'] } as never }, {}),
      'no connect option "cluster.seed"; did you mean "cluster.seeds"?',
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

describe('what is no object', () => {
  const consumer = { group: 'g', topics: ['t'] };
  test.each<[() => unknown, string]>([
    [() => resolveProducerOptions(null as never), 'producer options must be an object, not null'],
    [() => resolveProducerOptions(5 as never), 'producer options must be an object, not a number'],
    [() => resolveProducerOptions([] as never), 'producer options must be an object, not a list'],
    [() => resolveOptions(undefined as never), 'consumer options must be an object, not undefined'],
    [
      () => resolveOptions({ ...consumer, retry: 5 as never }),
      'consumer option "retry" must be an object, not a number',
    ],
    [() => resolveConnectOptions(null as never, {}), 'connect options must be an object, not null'],
    [() => resolveConnectOptions(5 as never, {}), 'connect options must be an object, not a number'],
    [
      () => resolveConnectOptions({ sentinel: null as never }, {}),
      'connect option "sentinel" must be an object, not null',
    ],
    [
      () => resolveConnectOptions({ cluster: ['redis://h'] as never }, {}),
      'connect option "cluster" must be an object, not a list',
    ],
    // It may be a key.
    [
      () => resolveConnectOptions({ url: 'rediss://h', tls: 'PRIVATE KEY' as never }, {}),
      'connect option "tls" must be an object, not a string',
    ],
  ])('%s', (resolve, message) => {
    expect(resolve).toThrow(expect.objectContaining({ code: 'INVALID_OPTION', message }));
  });
});

describe('listeners', () => {
  const events: OptionNames<{ lost: unknown; error: unknown }> = { lost: true, error: true };
  const verify = (event: unknown, listener: unknown) => () =>
    verifyListener('consumer', event, listener, events);

  test.each<[unknown, unknown, string]>([
    ['los', () => {}, 'there is no consumer event "los"; did you mean "lost"?'],
    ['toString', () => {}, 'there is no consumer event "toString"; there are: lost, error'],
    [undefined, () => {}, 'there is no consumer event "undefined"; there are: lost, error'],
    [Symbol('lost'), () => {}, 'there is no consumer event "a symbol"; there are: lost, error'],
    ['error', 5, 'a listener of the consumer event "error" must be a function, not 5'],
    ['error', undefined, 'a listener of the consumer event "error" must be a function, not undefined'],
  ])('%o with %o', (event, listener, message) => {
    expect(verify(event, listener)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION', message }));
  });

  test('that can be called are let through', () => {
    expect(verify('lost', () => {})).not.toThrow();
  });
});
