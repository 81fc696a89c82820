import { expect, test } from 'vitest';
import type { ClusterConfig, SentinelConfig } from './connection-config.ts';
import {
  clusterOptions,
  lookedUpOptions,
  MAX_BLOCK_MS,
  nodeOptions,
  retryDelayMs,
  singleOptions,
} from './connection-options.ts';

const config = { url: 'rediss://h:1', connectTimeoutMs: 1_234, tls: { ca: 'PEM' } };
const cluster: ClusterConfig = {
  kind: 'cluster',
  seeds: ['rediss://ann:pw@h:1'],
  tls: { ca: 'PEM' },
  connectTimeoutMs: 1_234,
};
const sentinel: SentinelConfig = {
  kind: 'sentinel',
  name: 'main',
  sentinels: [{ host: 's', port: 2 }],
  password: 'pw',
  database: 3,
  connectTimeoutMs: 1_234,
};

test('the first reconnect is at once, later ones wait longer, none more than 2 s', () => {
  expect([0, 0.999].map((random) => retryDelayMs(1, undefined, () => random))).toEqual([0, 49]);
  const slowest = Array.from({ length: 12 }, (_, index) =>
    retryDelayMs(index + 1, undefined, () => 0.999_999),
  );
  expect(slowest).toEqual(slowest.toSorted((a, b) => a - b));
  expect(slowest.at(-1)).toBe(1_999);
  expect(retryDelayMs(12, undefined, () => 0)).toBe(1_000);
  expect(retryDelayMs(12, 500, () => 0)).toBe(250);
});

test('nothing is ever sent again or later by the driver itself', () => {
  const never = {
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    enableAutoPipelining: false,
  };
  for (const role of ['command', 'reader', 'lease'] as const) {
    expect(singleOptions(config, role, 'n')).toMatchObject(never);
    expect(lookedUpOptions(cluster, role, 'n')).toMatchObject(never);
    expect(lookedUpOptions(sentinel, role, 'n')).toMatchObject(never);
    expect(nodeOptions(cluster, { host: 'x', port: 7 }, role, 'n')).toMatchObject(never);
  }
  expect(clusterOptions(cluster, 'n')).toMatchObject({
    enableOfflineQueue: false,
    retryDelayOnFailover: 0,
    redisOptions: never,
  });
});

test('a reader may be silent for longer than the longest block', () => {
  expect(singleOptions(config, 'reader', 'n').socketTimeout).toBeGreaterThanOrEqual(MAX_BLOCK_MS + 2_000);
});

test('TLS verifies the server', () => {
  expect(singleOptions(config, 'command', 'n').tls).toEqual({ ca: 'PEM' });
  expect(singleOptions({ ...config, url: 'redis://h:1' }, 'command', 'n').tls).toBeUndefined();
  expect(clusterOptions(cluster, 'n').redisOptions.tls).toEqual({ ca: 'PEM' });
  expect(lookedUpOptions(sentinel, 'command', 'n').tls).toBeUndefined();
});

test('the nodes of a cluster are reached as the user of the seeds', () => {
  expect(nodeOptions(cluster, { host: 'x', port: 7 }, 'reader', 'n')).toMatchObject({
    host: 'x',
    port: 7,
    username: 'ann',
    password: 'pw',
  });
});

test.each([
  ["READONLY You can't write against a read only replica.", 1],
  ['MOVED 866 127.0.0.1:7001', 1],
  ['CLUSTERDOWN The cluster is down', 1],
  ['UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)', 1],
  ['TRYAGAIN Multiple keys request during rehashing of slot', false],
  ['ERR MOVED on', false],
])('a connection that is looked up answers %s with a reconnect: %s', (message, answer) => {
  expect(lookedUpOptions(cluster, 'lease', 'n').reconnectOnError(new Error(message))).toBe(answer);
});
