/** Every status of join-group, and what each leaves behind. */
import { eventually } from '@millrace/testkit';
import { describe, expect } from 'vitest';
import { joinGroup, PROTOCOL_VERSION } from '../../src/group/join.ts';
import { GROUP, memberOf, test } from './group-fixture.ts';

const NOBODY = { memberId: '', epoch: 0 };

describe('JOINED', () => {
  test('the first member: the group comes into being', async ({ group }) => {
    const member = memberOf('a');
    expect(await group.store.join(member)).toEqual({
      status: 'JOINED',
      generation: 1,
      assignmentGeneration: 0,
      leader: NOBODY,
      deputies: [],
    });
    expect(await group.store.snapshot()).toEqual({
      generation: 1,
      assignmentGeneration: 0,
      leader: NOBODY,
      deputies: [],
      members: new Map([['a', member]]),
      beats: new Map([['a', 1]]),
      owners: new Map(),
    });
    expect(await group.redis.sismember(group.catalogue.groups, GROUP)).toBe(1);
    expect(await group.history()).toEqual(['member-joined member=a generation=1']);
  });

  test('every further member raises the generation, and wakes the others', async ({ group }) => {
    const wakes = await group.listen();
    await group.join('a');
    const joined = await group.store.join(memberOf('b'));
    expect(joined).toMatchObject({ status: 'JOINED', generation: 2 });
    await eventually(() => expect(wakes).toEqual(['generation', 'generation']));
  });

  test('the same call once more, as after a lost reply, changes nothing', async ({ group }) => {
    const member = memberOf('a');
    const first = await group.store.join(member);
    const before = await group.store.snapshot();
    expect(await group.store.join(member)).toEqual(first);
    expect(await group.store.snapshot()).toEqual(before);
    expect(await group.history()).toHaveLength(1);
  });

  test('what a member says of itself comes back as it was', async ({ group }) => {
    const member = memberOf('static-1', {
      instanceId: 'static-1',
      host: 'café “1” \\ \n ☕',
      subscriptions: [
        { kind: 'pattern', source: '^orders\\.(eu|us)"$', flags: 'iu' },
        { kind: 'name', topic: 'audit' },
      ],
      capacity: 0.25,
    });
    await group.store.join(member);
    expect((await group.store.snapshot()).members.get('static-1')).toEqual(member);
  });

  test('tells where the group stands', async ({ group }) => {
    const epoch = await group.lead('a');
    await group.assign(epoch, 'a', 0, 1);
    expect(await group.store.join(memberOf('b'))).toMatchObject({
      generation: 2,
      assignmentGeneration: 1,
      leader: { memberId: 'a', epoch },
    });
  });
});

describe('DUPLICATE_INSTANCE', () => {
  test('somebody else holds the member id, and who it is', async ({ group }) => {
    const holder = await group.join('static-1', { instanceId: 'static-1', host: 'other', pid: 7 });
    const before = await group.store.snapshot();
    const result = await group.store.join(memberOf('static-1', { session: 's2' }));
    expect(result).toEqual({ status: 'DUPLICATE_INSTANCE', holder, beat: 1, isPresent: false });
    expect(await group.store.snapshot()).toEqual(before);
  });

  test('says whether the holder is present', async ({ group }) => {
    await group.appear('static-1');
    await group.join('static-1');
    expect(await group.store.join(memberOf('static-1', { session: 's2' }))).toMatchObject({
      isPresent: true,
    });
  });

  test('the holder has renewed since it was seen: it lives', async ({ group }) => {
    const { session } = await group.join('static-1');
    await group.store.heartbeat('static-1', session);
    const heir = memberOf('static-1', { session: 's2' });
    expect(await group.store.join(heir, { beat: 1, evenIfPresent: true })).toMatchObject({
      status: 'DUPLICATE_INSTANCE',
      beat: 2,
    });
  });

  test('the holder is silent but present, and its lease is not over', async ({ group }) => {
    await group.appear('static-1');
    await group.join('static-1');
    const heir = memberOf('static-1', { session: 's2' });
    expect(await group.store.join(heir, { beat: 1, evenIfPresent: false })).toMatchObject({
      status: 'DUPLICATE_INSTANCE',
      isPresent: true,
    });
  });
});

describe('a static member that returns', () => {
  test('takes its place back, and moves nothing: the generation stays', async ({ group }) => {
    const wakes = await group.listen();
    const before = await group.join('static-1');
    const epoch = await group.lead('a');
    await group.assign(epoch, 'static-1', 0);
    const back = memberOf('static-1', { session: 's2', host: 'elsewhere', pid: 99, joinedAtMs: 5 });
    const result = await group.store.join(back, { beat: 1, evenIfPresent: false });
    expect(result).toMatchObject({ status: 'JOINED', generation: 2, assignmentGeneration: 2 });
    const { members, beats } = await group.store.snapshot();
    expect(members.get('static-1')).toEqual(back);
    expect(beats.get('static-1')).toBe(2);
    expect((await group.history()).at(-1)).toBe('member-returned member=static-1');
    expect(await group.store.heartbeat('static-1', before.session)).toEqual({ status: 'REPLACED' });
    await eventually(() => expect(wakes).toHaveLength(4));
  });

  test('takes its place back from a holder that is present, when its lease is over', async ({ group }) => {
    await group.appear('static-1');
    await group.join('static-1');
    const back = memberOf('static-1', { session: 's2' });
    expect(await group.store.join(back, { beat: 1, evenIfPresent: true })).toMatchObject({
      status: 'JOINED',
    });
  });

  test.for([
    { what: 'other topics', change: { subscriptions: [{ kind: 'name', topic: 'audit' }] } },
    { what: 'another capacity', change: { capacity: 2 } },
    { what: 'another assignor', change: { assignor: 'range' } },
  ] as const)('with $what raises the generation', async ({ change }, { group }) => {
    await group.join('static-1');
    const back = memberOf('static-1', { session: 's2', ...change });
    expect(await group.store.join(back, { beat: 1, evenIfPresent: false })).toMatchObject({ generation: 2 });
  });

  test('that had begun to leave gets something again: the generation rises', async ({ group }) => {
    const member = await group.join('static-1');
    await group.store.update({ ...member, isLeaving: true }, 'leaving');
    const back = memberOf('static-1', { session: 's2' });
    expect(await group.store.join(back, { beat: 1, evenIfPresent: false })).toMatchObject({ generation: 3 });
  });

  test('twice in one moment: the second one sees a holder that has moved on', async ({ group }) => {
    await group.join('static-1');
    const seen = { beat: 1, evenIfPresent: true };
    expect(await group.store.join(memberOf('static-1', { session: 's2' }), seen)).toMatchObject({
      status: 'JOINED',
    });
    expect(await group.store.join(memberOf('static-1', { session: 's3' }), seen)).toMatchObject({
      status: 'DUPLICATE_INSTANCE',
      beat: 2,
    });
  });

  test('after it was evicted joins as a new member', async ({ group }) => {
    const epoch = await group.lead('a');
    await group.join('static-1');
    await group.store.evict(epoch, 'static-1', 1, 'lease');
    const back = memberOf('static-1', { session: 's2' });
    expect(await group.store.join(back, { beat: 1, evenIfPresent: true })).toMatchObject({
      status: 'JOINED',
      generation: 4,
    });
    expect((await group.store.snapshot()).beats.get('static-1')).toBe(1);
  });
});

describe('PROTOCOL_MISMATCH', () => {
  const NEXT = PROTOCOL_VERSION + 1;

  test('two versions never work on one group', async ({ group }) => {
    await group.join('a');
    const before = await group.store.snapshot();
    expect(await joinGroup(group.redis, group.keys, memberOf('b'), undefined, NEXT)).toEqual({
      status: 'PROTOCOL_MISMATCH',
      groupProtocol: PROTOCOL_VERSION,
      ownProtocol: NEXT,
    });
    expect(await group.store.snapshot()).toEqual(before);
  });

  test('not even under the member id of one that is there already', async ({ group }) => {
    const member = await group.join('static-1');
    const takeOver = { beat: 1, evenIfPresent: true };
    for (const session of [member.session, 's2']) {
      const other = { ...member, session };
      const result = await joinGroup(group.redis, group.keys, other, takeOver, NEXT);
      expect(result.status).toBe('PROTOCOL_MISMATCH');
    }
  });

  test('an empty group takes the version of who comes first, and keeps its generation', async ({ group }) => {
    const { session } = await group.join('a');
    await group.store.leave('a', session);
    expect(await joinGroup(group.redis, group.keys, memberOf('b'), undefined, NEXT)).toMatchObject({
      status: 'JOINED',
      generation: 3,
    });
    expect(await group.store.join(memberOf('c'))).toEqual({
      status: 'PROTOCOL_MISMATCH',
      groupProtocol: NEXT,
      ownProtocol: PROTOCOL_VERSION,
    });
  });
});
