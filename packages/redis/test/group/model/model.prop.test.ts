/**
 * The scripts against the model, on random sequences of operations, with I1 to I4 checked after each. And the other way
 * round: with a fault in one of the scripts the same check must fail, or it would be worth nothing.
 */
import type { RedisConnection } from '@millrace/redis';
import fc from 'fast-check';
import { describe, expect } from 'vitest';
import {
  ACQUIRE_PARTITION,
  CLAIM_PARTITIONS,
  COMMIT_OFFSET,
  EVICT_MEMBER,
  HEARTBEAT,
  JOIN_GROUP,
  LEAVE_GROUP,
  PUBLISH_ASSIGNMENT,
  RELEASE_PARTITION,
  SEEK_OFFSET,
  UNCLAIM_PARTITIONS,
} from '../../../src/generated/lua.ts';
import type { LuaScript } from '../../../src/run-script.ts';
import { withFault } from '../../with-fault.ts';
import { test } from '../own-server.ts';
import { anyOperation } from './operations.ts';
import { TwoWorlds } from './two-worlds.ts';

let runs = 0;

function sameInBothWorlds(redis: RedisConnection) {
  return fc.asyncProperty(fc.array(anyOperation, { minLength: 40, maxLength: 60 }), async (operations) => {
    const worlds = new TwoWorlds(redis, `run-${++runs}`);
    await worlds.begin();
    for (const operation of operations) await worlds.perform(operation);
  });
}

test('the scripts do what the model does, and hold the invariants', { timeout: 60_000 }, async ({ open }) => {
  await fc.assert(sameInBothWorlds(await open()), { numRuns: 40 });
});

interface Fault {
  readonly what: string;
  readonly script: LuaScript;
  readonly from: string;
  readonly to: string;
}

const FAULTS: readonly Fault[] = [
  {
    what: 'commits of any epoch',
    script: COMMIT_OFFSET,
    from: 'o[1] ~= epoch or o[2] ~= nonce',
    to: 'o[2] ~= nonce',
  },
  {
    what: 'commits without a nonce',
    script: COMMIT_OFFSET,
    from: 'o[1] ~= epoch or o[2] ~= nonce',
    to: 'o[1] ~= epoch',
  },
  {
    what: 'commits of an owner at another server',
    script: COMMIT_OFFSET,
    from: 'server ~= acquiredAt',
    to: 'false',
  },
  {
    what: 'seeks of an owner at another server',
    script: SEEK_OFFSET,
    from: 'server ~= acquiredAt',
    to: 'false',
  },
  {
    what: 'releases of an owner at another server',
    script: RELEASE_PARTITION,
    from: 'server ~= acquiredAt',
    to: 'false',
  },
  {
    what: 'resets that are told of once',
    script: ACQUIRE_PARTITION,
    from: "  redis.call('HSET', ownership, 'resetFrom', resetFrom)",
    to: '',
  },
  {
    what: 'resets that are told of for ever',
    script: COMMIT_OFFSET,
    from: "  redis.call('HDEL', ownership, 'resetFrom')",
    to: '',
  },
  { what: 'commits that go back', script: COMMIT_OFFSET, from: 'wanted <= tonumber(o[3])', to: 'false' },
  { what: 'commits beyond the end', script: COMMIT_OFFSET, from: 'wanted > tonumber(logEnd)', to: 'false' },
  {
    what: 'grant before release',
    script: CLAIM_PARTITIONS,
    from: 'if owner and owner ~= memberId',
    to: 'if false and owner ~= memberId',
  },
  {
    what: 'claims that outlive their member',
    script: CLAIM_PARTITIONS,
    from: " and redis.call('HEXISTS', members, owner) == 1",
    to: '',
  },
  {
    what: 'claims whose number stands still',
    script: CLAIM_PARTITIONS,
    from: "'claims', 1)",
    to: "'claims', 0)",
  },
  {
    what: 'claims by any session',
    script: CLAIM_PARTITIONS,
    from: "or string.sub(held, 1, #session + 1) ~= session .. ' '",
    to: '',
  },
  {
    what: 'claims on an old assignment',
    script: CLAIM_PARTITIONS,
    from: "redis.call('HGET', state, 'assignmentGeneration') ~= assignmentGeneration",
    to: 'false',
  },
  {
    what: 'acquires by an overtaken claim',
    script: ACQUIRE_PARTITION,
    from: 'tonumber(seenClaim) > tonumber(claim)',
    to: 'false',
  },
  {
    what: 'acquires by the twin of a claim',
    script: ACQUIRE_PARTITION,
    from: 'tonumber(seenClaim) == tonumber(claim)',
    to: 'false',
  },
  {
    what: 'epochs that do not rise',
    script: ACQUIRE_PARTITION,
    from: "local written = string.format('%.0f', nextEpoch)",
    to: "local written = '1'",
  },
  {
    what: 'a second epoch for one nonce',
    script: ACQUIRE_PARTITION,
    from: 'seenNonce == nonce',
    to: 'false',
  },
  {
    what: 'offsets outside of the log',
    script: ACQUIRE_PARTITION,
    from: 'not committed or outside',
    to: 'not committed',
  },
  { what: 'a fingerprint of another place', script: ACQUIRE_PARTITION, from: "  fingerprint = ''\n", to: '' },
  {
    what: 'a policy to fail that is not heeded',
    script: ACQUIRE_PARTITION,
    from: "reset == 'fail'",
    to: 'false',
  },
  {
    what: 'releases that keep the nonce',
    script: RELEASE_PARTITION,
    from: "'nonce', 'owner'",
    to: "'owner'",
  },
  {
    what: 'releases by anybody',
    script: RELEASE_PARTITION,
    from: 'o[1] ~= epoch or o[2] ~= nonce',
    to: 'false',
  },
  { what: 'seeks that keep the nonce', script: SEEK_OFFSET, from: ", 'nonce', nextNonce)", to: ')' },
  {
    what: 'seeks that are refused when they are repeated',
    script: SEEK_OFFSET,
    from: 'o[1] == epoch and o[2] == nextNonce',
    to: 'false',
  },
  { what: 'seeks by anybody', script: SEEK_OFFSET, from: 'o[1] ~= epoch or o[2] ~= nonce', to: 'false' },
  {
    what: 'seeks to anywhere',
    script: SEEK_OFFSET,
    from: "tonumber(offset) > tonumber(log[2] or '0')",
    to: 'false',
  },
  {
    what: 'evictions of the living',
    script: EVICT_MEMBER,
    from: "redis.call('HGET', beats, memberId) ~= seenBeat",
    to: 'false',
  },
  {
    what: 'evictions by a former leader',
    script: EVICT_MEMBER,
    from: "(redis.call('HGET', state, 'leaderEpoch') or '0') ~= leaderEpoch",
    to: 'false',
  },
  { what: 'joins over a living member', script: JOIN_GROUP, from: 'seenBeat ~= beat or', to: '' },
  {
    what: 'heartbeats of a replaced session',
    script: HEARTBEAT,
    from: "string.sub(held, 1, #session + 1) ~= session .. ' '",
    to: 'false',
  },
  {
    what: 'a replaced session that takes its heir out',
    script: LEAVE_GROUP,
    from: "or string.sub(held, 1, #session + 1) ~= session .. ' '",
    to: '',
  },
  {
    what: 'assignments of an old generation',
    script: PUBLISH_ASSIGNMENT,
    from: ' or current[2] ~= generation',
    to: '',
  },
  {
    what: 'assignments for topics of another time',
    script: PUBLISH_ASSIGNMENT,
    from: "'incarnations', incarnations",
    to: "'incarnations', 'orders:1-x'",
  },
  {
    what: 'unclaims of what was claimed since',
    script: UNCLAIM_PARTITIONS,
    from: "redis.call('HGET', owners, ARGV[index]) == ARGV[index + 1]",
    to: 'true',
  },
];

describe('the check finds', () => {
  test.for(FAULTS)('$what', { timeout: 60_000 }, async ({ script, from, to }, { open }) => {
    expect(script.text).toContain(from);
    const faulty = withFault(await open(), script, script.text.replace(from, to));
    const found = await fc.check(sameInBothWorlds(faulty), { seed: 1, numRuns: 200, endOnFailure: true });
    expect(found.failed).toBe(true);
  });
});
