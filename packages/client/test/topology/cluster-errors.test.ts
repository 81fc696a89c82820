/** What `connect` says when a cluster is not there, or is not one. */
import { inspect } from 'node:util';
import { startRedis } from '@millrace/testkit';
import { expect } from 'vitest';
import { test } from '@millrace/testkit/vitest';
import { connect } from '../../src/index.ts';
import { failure } from '../client-fixture.ts';

test('seeds that cannot be reached are named, without the password', async () => {
  const seeds = ['redis://ann:hunter2@127.0.0.1:1', 'redis://ann:hunter2@127.0.0.1:2'];
  const error = await failure(connect({ cluster: { seeds }, connectTimeoutMs: 300 }));
  expect(error).toMatchObject({ code: 'REDIS_UNREACHABLE', retryable: true });
  expect(error.message).toContain('the seeds 127.0.0.1:1, 127.0.0.1:2');
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('hunter2');
});

test('a seed that is a single server is refused with what to use instead', async () => {
  await using server = await startRedis();
  expect(await failure(connect({ cluster: { seeds: [server.url] } }))).toMatchObject({
    name: 'ConfigError',
    code: 'INVALID_OPTION',
    message: expect.stringContaining('connect({ url })'),
  });
});

test('a wrong password of the seeds is refused at once', async () => {
  await using server = await startRedis({
    requirepass: 'right',
    directives: { 'cluster-enabled': 'yes' },
  });
  const seeds = [`redis://:hunter2@${server.host}:${server.port}`];
  const error = await failure(connect({ cluster: { seeds }, connectTimeoutMs: 600_000 }));
  expect(error).toMatchObject({ name: 'ConfigError', code: 'AUTHENTICATION_FAILED' });
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('hunter2');
});

test('a node of a cluster that was given by url is refused with what to use instead', async () => {
  await using server = await startRedis({ directives: { 'cluster-enabled': 'yes' } });
  expect(await failure(connect(server.url))).toMatchObject({
    code: 'INVALID_OPTION',
    message: expect.stringContaining('connect({ cluster: {'),
  });
});

test('a cluster that does not serve all slots is waited for, and then refused', async () => {
  await using server = await startRedis({ directives: { 'cluster-enabled': 'yes' } });
  const error = await failure(connect({ cluster: { seeds: [server.url] }, connectTimeoutMs: 500 }));
  expect(error).toMatchObject({ code: 'REDIS_REFUSED', retryable: true });
});
