import { rangeAssignor } from '@millrace/core';
import { expect, test } from 'vitest';
import { topic } from '../topic/topic-definition.ts';
import { resolveOptions } from './options.ts';

const resolve = (options: object) => resolveOptions({ group: 'g', topics: ['t'], ...options });

test('what is given counts', () => {
  const topics = ['a', /^b/, topic('c')];
  expect(
    resolve({ topics, autoCommit: false, assignor: rangeAssignor, retry: { maxAttempts: 3 } }),
  ).toMatchObject({
    autoCommit: false,
    assignor: rangeAssignor,
    retry: { maxAttempts: 3, initialBackoffMs: 100, maxBackoffMs: 30_000 },
  });
  expect(resolve({ commitMode: 'at-most-once', autoCommit: false }).autoCommit).toBe(true);
});

const KINDS = 'names, patterns, or definitions that topic() gives';

test.each<[object, string]>([
  [{ topics: 'bad' }, `"topics" must be a list of ${KINDS}, not "bad"`],
  [{ topics: undefined }, `"topics" must be a list of ${KINDS}, not undefined`],
  [{ topics: [] }, '"topics" must name at least one topic, pattern or definition'],
  [{ topics: ['a', 5] }, `"topics[1]" must be one of ${KINDS}, not 5`],
  [{ topics: [null] }, `"topics[0]" must be one of ${KINDS}, not null`],
  [{ topics: [{ name: 'a' }] }, '"topics[0]" must be one of'],
  [{ autoCommit: 'false' }, '"autoCommit" must be true or false, not "false"'],
  [{ autoCommit: 0 }, '"autoCommit" must be true or false, not 0'],
  [{ commitMode: 'at-most-once', autoCommit: 'false' }, '"autoCommit" must be true or false'],
  [{ assignor: 'sticky' }, '"assignor" must be an object with a name and the function assign, not "sticky"'],
  [{ assignor: { name: 'mine' } }, '"assignor" must be an object with a name and the function assign'],
  [{ assignor: null }, '"assignor" must be an object with a name and the function assign, not null'],
  [{ leaseMs: '5000' }, '"leaseMs" must be a number from 300 to 86400000, not "5000"'],
  [{ capacity: 5n }, '"capacity" must be a number'],
  [{ retry: { maxAttempts: 0 } }, '"retry.maxAttempts" must be a number from 1 to Infinity, not 0'],
  [{ offsetReset: 'begin' }, '"offsetReset" must be one of "earliest", "latest", "fail", not "begin"'],
  [{ offsetReset: 5n }, '"offsetReset" must be one of "earliest", "latest", "fail", not 5n'],
])('refuses %o', (options, message) => {
  expect(() => resolve(options)).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(message) }),
  );
});
