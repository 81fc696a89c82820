/** What the fixture's checks say is tested in `fixture-leaks.test.ts`; here, what the functions refuse and spare. */
import { expect } from 'vitest';
import { deleteKeys, findLeaks } from '@millrace/testkit';
import { test } from '@millrace/testkit/vitest';

test.for(['', '*', 't-*', 't-[ab]', 't-a?', 'a b'])('the prefix %j is refused', async (prefix, { redis }) => {
  const scope = { url: redis.url, prefix };
  await expect(findLeaks(scope)).rejects.toThrow(/not a test prefix/);
  await expect(deleteKeys(scope)).rejects.toThrow(/not a test prefix/);
});

test('only keys under the prefix are found and deleted, thousands included', async ({ redis, ioredis }) => {
  const one = { url: redis.url, prefix: `${redis.prefix}-one` };
  const other = `${redis.prefix}-other:key`;
  await ioredis.set(other, 'value');
  const pairs = Array.from({ length: 3_000 }, (_, n) => [`${one.prefix}:${n}`, 'value']).flat();
  await ioredis.mset(pairs);
  expect(await findLeaks(one)).toEqual([expect.stringMatching(/^3000 keys left: .* and 2995 more$/)]);
  await deleteKeys(one);
  expect(await findLeaks(one)).toEqual([]);
  expect(await ioredis.unlink(other)).toBe(1);
});
