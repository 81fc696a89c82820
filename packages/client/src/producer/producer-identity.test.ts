import { expect, test } from 'vitest';
import { NamedIdentity, OwnIdentity, type RaiseEpoch } from './producer-identity.ts';

let nonces = 0;
const random = { nonce: () => `nonce-${nonces++}` };

test('an own identity counts for itself, and no two are alike', () => {
  const identity = new OwnIdentity(random);
  expect(identity.id).not.toBe(new OwnIdentity(random).id);
  expect([
    identity.epochAbove(-1),
    identity.epochAbove(-1),
    identity.epochAbove(0),
    identity.epochAbove(0),
    identity.epochAbove(5),
  ]).toEqual([0, 0, 1, 1, 6]);
});

function raiseCounting(calls: [string, boolean][]): RaiseEpoch {
  return async (session, isTaking) => {
    calls.push([session, isTaking]);
    return { status: 'RAISED', epoch: calls.length * 10 };
  };
}

test('a name is taken once, for all partitions, and raised from then on', async () => {
  const calls: [string, boolean][] = [];
  const identity = new NamedIdentity('billing', random, raiseCounting(calls));
  expect(await Promise.all([identity.epochAbove(-1), identity.epochAbove(-1)])).toEqual([10, 10]);
  expect(identity.epochAbove(-1)).toBe(10);
  expect(await Promise.all([identity.epochAbove(10), identity.epochAbove(10)])).toEqual([20, 20]);
  // Another partition that has not seen the new one needs no call.
  expect(identity.epochAbove(10)).toBe(20);
  expect(calls.map(([, isTaking]) => isTaking)).toEqual([true, false]);
  expect(new Set(calls.map(([session]) => session)).size).toBe(1);
});

test('a name that was not obtained is asked for again', async () => {
  let calls = 0;
  const identity = new NamedIdentity('billing', random, async (_session, isTaking) => {
    if (++calls === 1) throw new Error('Connection is closed.');
    return { status: 'RAISED', epoch: isTaking ? 7 : NaN };
  });
  await expect(identity.epochAbove(-1)).rejects.toThrow('Connection is closed.');
  expect(await identity.epochAbove(-1)).toBe(7);
});

test('a later instance of the name is an error that says so', async () => {
  const identity = new NamedIdentity('billing', random, async () => ({ status: 'FENCED' }));
  await expect(identity.epochAbove(3)).rejects.toMatchObject({
    name: 'FencedError',
    code: 'PRODUCER_FENCED',
    details: { producerId: 'billing' },
  });
});
