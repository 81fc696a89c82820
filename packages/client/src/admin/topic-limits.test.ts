import { expect, test } from 'vitest';
import { parseTopicLimits } from './topic-limits.ts';

test('gives what is given, and nothing that is undefined', () => {
  expect(parseTopicLimits({})).toEqual({});
  const limits = {
    maxRecords: 1,
    maxBytes: 2,
    maxAgeMs: 3,
    onFull: 'trim',
    trimCommittedAfterMs: 0,
  } as const;
  expect(parseTopicLimits(limits)).toEqual(limits);
  expect(Object.keys(parseTopicLimits({ maxBytes: 2, maxRecords: undefined }))).toEqual(['maxBytes']);
  expect(parseTopicLimits({ trimCommittedAfterMs: 'never' })).toEqual({ trimCommittedAfterMs: 'never' });
});

test.each<[object, string]>([
  [{ maxRecord: 5 }, 'no topic option "limits.maxRecord"; did you mean "limits.maxRecords"?'],
  [null as never, 'topic option "limits" must be an object, not null'],
  ['1000' as never, 'topic option "limits" must be an object, not a string'],
  [{ maxRecords: 0 }, 'limits.maxRecords must be an integer from 1, not 0'],
  [{ maxBytes: 1.5 }, 'limits.maxBytes must be an integer from 1, not 1.5'],
  [{ maxAgeMs: '1h' }, 'limits.maxAgeMs must be an integer from 1, not "1h"'],
  [{ onFull: 'drop' }, `limits.onFull must be 'refuse' or 'trim', not "drop"`],
  [{ trimCommittedAfterMs: -1 }, "limits.trimCommittedAfterMs must be an integer from 0, or 'never', not -1"],
])('refuses %o', (limits, message) => {
  expect(() => parseTopicLimits(limits)).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(message) }),
  );
});
