import { describe, expect, test } from 'vitest';
import {
  countCopies,
  findShortfall,
  verifySupport,
  type Durability,
  type WaitingConnection,
} from './durability.ts';

const REPLICATED: Durability = { acks: 'replicated', replicas: 2, timeoutMs: 100 };
const FSYNCED: Durability = { acks: 'fsynced', replicas: 1, timeoutMs: 100 };

describe('the count decides', () => {
  test.each<[Durability, number, boolean, string | null]>([
    [REPLICATED, 2, false, null],
    [REPLICATED, 3, false, null],
    [REPLICATED, 1, false, 'NOT_REPLICATED'],
    [FSYNCED, 1, true, null],
    [FSYNCED, 0, true, 'NOT_FSYNCED'],
    [FSYNCED, 1, false, 'NOT_FSYNCED'],
    [{ ...FSYNCED, replicas: 0 }, 0, true, null],
  ])('%o: %d replicas, on disk %s', (durability, replicas, isOnDisk, code) => {
    const shortfall = findShortfall(durability, { replicas, isOnDisk }, 'appending to orders/0');
    expect(shortfall?.code ?? null).toBe(code);
    if (shortfall === null) return;
    expect(shortfall).toMatchObject({
      retryable: true,
      details: { asked: durability.replicas, got: replicas, execution: 'unknown' },
    });
  });
});

/** A connection whose answers a test writes by hand: what Redis 7.2 says, which not every machine has. */
function answering(
  answer: () => number | readonly number[],
): WaitingConnection & { readonly asked: unknown[] } {
  const asked: unknown[] = [];
  const reply = (...command: unknown[]): Promise<never> => {
    asked.push(command);
    return new Promise((resolve) => resolve(answer() as never));
  };
  return { asked, call: reply, wait: reply };
}

test('WAITAOF asks for the primary and as many replicas as given', async () => {
  const connection = answering(() => [1, 0]);
  expect(await countCopies(connection, FSYNCED)).toEqual({ replicas: 0, isOnDisk: true });
  await verifySupport(connection, FSYNCED);
  expect(connection.asked).toEqual([
    ['WAITAOF', 1, 1, 100],
    ['WAITAOF', 1, 0, 1],
  ]);
});

test.each<[Durability, string, object]>([
  [
    FSYNCED,
    "ERR unknown command 'WAITAOF', with args beginning with: '1' '0' '1' ",
    { code: 'REDIS_TOO_OLD', message: expect.stringContaining('7.2') },
  ],
  [
    FSYNCED,
    'ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.',
    { code: 'INVALID_OPTION', message: expect.stringContaining('"appendonly yes"') },
  ],
  [
    REPLICATED,
    "NOPERM this user has no permissions to run the 'wait' command",
    { code: 'PERMISSION_DENIED' },
  ],
  [
    REPLICATED,
    'UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)',
    { code: 'REDIS_REFUSED', retryable: true, details: { execution: 'unknown' } },
  ],
  [
    REPLICATED,
    'ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 …',
    { code: 'REDIS_REFUSED', retryable: true, details: { execution: 'unknown' } },
  ],
  // The driver knows that WAIT was not sent. Of what was to be waited for it says nothing.
  [
    REPLICATED,
    "Stream isn't writeable and enableOfflineQueue options is false",
    { code: 'REDIS_UNREACHABLE', retryable: true, details: { execution: 'unknown' } },
  ],
])('%o, %s', async (durability, text, expected) => {
  const connection = answering(() => {
    throw new Error(text);
  });
  await expect(countCopies(connection, durability)).rejects.toMatchObject(expected);
});
