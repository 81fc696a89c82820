import { expect, test } from 'vitest';
import { resolveDurability } from './acks.ts';

type Options = Parameters<typeof resolveDurability>[0];

test.each<[Options, ReturnType<typeof resolveDurability>]>([
  [{}, null],
  [{ acks: 'memory' }, null],
  [{ acks: 'replicated' }, { acks: 'replicated', replicas: 1, timeoutMs: 3_000 }],
  [
    { acks: 'replicated', replicas: 2, ackTimeoutMs: 50 },
    { acks: 'replicated', replicas: 2, timeoutMs: 50 },
  ],
  [{ acks: 'fsynced' }, { acks: 'fsynced', replicas: 0, timeoutMs: 3_000 }],
  [
    { acks: 'fsynced', replicas: 1 },
    { acks: 'fsynced', replicas: 1, timeoutMs: 3_000 },
  ],
])('%o', (options, durability) => {
  expect(resolveDurability(options, 30_000)).toEqual(durability);
});

test('one try takes no longer than the whole delivery may', () => {
  expect(resolveDurability({ acks: 'replicated' }, 1_000)).toMatchObject({ timeoutMs: 1_000 });
  // 0 would mean for ever to Redis.
  expect(resolveDurability({ acks: 'replicated' }, 0.5)).toMatchObject({ timeoutMs: 1 });
  expect(() => resolveDurability({ acks: 'replicated', ackTimeoutMs: 1_001 }, 1_000)).toThrow('ackTimeoutMs');
});

test.each<[Options, string]>([
  [{ acks: 'all' as never }, "acks must be 'memory', 'replicated' or 'fsynced'"],
  [{ acks: -1 as never }, "its -1 is 'replicated'"],
  [{ replicas: 1 }, "replicas says nothing with acks 'memory'"],
  [{ acks: 'memory', ackTimeoutMs: 10 }, "ackTimeoutMs says nothing with acks 'memory'"],
  [{ acks: 'replicated', replicas: 0 }, 'replicas must be a number from 1 to 100'],
  [{ acks: 'fsynced', replicas: -1 }, 'replicas must be a number from 0 to 100'],
  [{ acks: 'replicated', replicas: 1.5 }, 'replicas must be a whole number'],
  [{ acks: 'fsynced', ackTimeoutMs: 0 }, 'ackTimeoutMs must be a number from 1 to 5000'],
  [{ acks: 'fsynced', ackTimeoutMs: 5_001 }, 'ackTimeoutMs must be a number from 1 to 5000'],
])('%o is refused', (options, message) => {
  expect(() => resolveDurability(options, 30_000)).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(message) }),
  );
});
