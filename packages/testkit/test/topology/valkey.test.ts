import { expect } from 'vitest';
import { MissingToolError, provideValkey, startSentinel, startSingle } from '@millrace/testkit';
import { test } from '@millrace/testkit/vitest';

/** Undefined where Valkey is not to be had; every other failure is one of the test. */
const findValkey = (): Promise<string | undefined> =>
  provideValkey().catch((error: unknown) => {
    if (error instanceof MissingToolError) return undefined;
    throw error;
  });

test(
  'Valkey serves as the binary of a topology, Sentinels included',
  { timeout: 120_000 },
  async ({ skip }) => {
    const binary = await findValkey();
    if (binary === undefined) {
      skip('no valkey-server, and none to be fetched');
      return;
    }
    await using topology = await startSentinel({ binary, replicas: 1 });
    const primary = await topology.primaryOf('key');
    expect(await primary.admin.info('server')).toMatch(/server_name:valkey/);
    expect(await topology.failOver()).not.toBe(primary);
  },
);

test('Valkey answers WAITAOF, which Redis 7.0 does not know', { timeout: 120_000 }, async ({ skip }) => {
  const binary = await findValkey();
  if (binary === undefined) {
    skip('no valkey-server, and none to be fetched');
    return;
  }
  await using topology = await startSingle({ binary, replicas: 1 });
  await topology.primary.admin.set('key', 'value');
  expect(await topology.primary.admin.call('WAITAOF', 1, 1, 5_000)).toEqual([1, 1]);
});

test('where there is neither Valkey nor Debian, the error says what to install', async () => {
  await expect(provideValkey({ env: { PATH: '/nonexistent' } })).rejects.toThrow(
    /install Valkey 7\.2 or newer/,
  );
});
