import { expect, test } from 'vitest';
import { connectionOptions, MAX_BLOCK_MS, retryDelayMs } from './connection-options.ts';

const config = { url: 'rediss://h:1', connectTimeoutMs: 1_234, tls: { ca: 'PEM' } };

test('the first reconnect is at once, later ones wait longer, none more than 2 s', () => {
  expect([0, 0.999].map((random) => retryDelayMs(1, () => random))).toEqual([0, 49]);
  const slowest = Array.from({ length: 12 }, (_, index) => retryDelayMs(index + 1, () => 0.999_999));
  expect(slowest).toEqual(slowest.toSorted((a, b) => a - b));
  expect(slowest.at(-1)).toBe(1_999);
  expect(retryDelayMs(12, () => 0)).toBe(1_000);
});

test('nothing is ever sent again or later by the driver itself', () => {
  for (const role of ['command', 'reader', 'lease'] as const) {
    expect(connectionOptions(config, role, 'n')).toMatchObject({
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      autoResubscribe: false,
    });
  }
});

test('a reader may be silent for longer than the longest block', () => {
  expect(connectionOptions(config, 'reader', 'n').socketTimeout).toBeGreaterThanOrEqual(MAX_BLOCK_MS + 2_000);
});

test('TLS verifies the server', () => {
  expect(connectionOptions(config, 'command', 'n').tls).toEqual({ ca: 'PEM' });
  expect(connectionOptions({ ...config, url: 'redis://h:1' }, 'command', 'n').tls).toBeUndefined();
});
