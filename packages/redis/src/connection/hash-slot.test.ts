import { startRedis } from '@millrace/testkit';
import fc from 'fast-check';
import { expect } from 'vitest';
import { test } from '@millrace/testkit/vitest';
import { hashSlot } from './hash-slot.ts';
import { closeConnection, openConnection } from './open-connection.ts';

/** Keys with and without tags: braces are as likely as anything else. */
const key = fc.string({ unit: fc.constantFrom('{', '}', 'a', 'b', ':', 'é', '日') });

test('every key lies where Redis says', async () => {
  await using server = await startRedis({ directives: { 'cluster-enabled': 'yes' } });
  const redis = await openConnection({ url: server.url, connectTimeoutMs: 5_000 }, 'command', 'slots');
  await fc.assert(
    fc.asyncProperty(key, async (text) => {
      expect(hashSlot(text)).toBe(await redis.cluster('KEYSLOT', text));
    }),
    { numRuns: 300, examples: [['{}a'], ['a{b}{c}'], ['{a'], ['a}b{c}'], ['']] },
  );
  await closeConnection(redis);
});
