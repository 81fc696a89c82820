/** Every status of heartbeat, leave-group and update-member. */
import { eventually } from '@millrace/testkit';
import { describe, expect } from 'vitest';
import { memberOf, test } from './group-fixture.ts';

describe('heartbeat', () => {
  test('OK: the counter moves, and where the group stands comes back', async ({ group }) => {
    const epoch = await group.lead('a');
    await group.join('b');
    const { session } = memberOf('a');
    expect(await group.store.heartbeat('a', session)).toEqual({
      status: 'OK',
      generation: 2,
      assignmentGeneration: 0,
      leader: { memberId: 'a', epoch },
      deputies: [],
    });
    expect((await group.store.snapshot()).beats).toEqual(
      new Map([
        ['a', 2],
        ['b', 1],
      ]),
    );
  });

  test('UNKNOWN_MEMBER: never joined, and nothing is made up for it', async ({ group }) => {
    expect(await group.store.heartbeat('a', 's')).toEqual({ status: 'UNKNOWN_MEMBER' });
    expect(await group.redis.exists(group.keys.beats)).toBe(0);
  });

  test('UNKNOWN_MEMBER: evicted, and the counter stays gone', async ({ group }) => {
    const epoch = await group.lead('a');
    const { session } = await group.join('b');
    await group.store.evict(epoch, 'b', 1, 'lease');
    expect(await group.store.heartbeat('b', session)).toEqual({ status: 'UNKNOWN_MEMBER' });
    expect((await group.store.snapshot()).beats.has('b')).toBe(false);
  });

  test('REPLACED: another session holds the id, one that begins alike included', async ({ group }) => {
    await group.join('static-1', { session: 's10' });
    expect(await group.store.heartbeat('static-1', 's1')).toEqual({ status: 'REPLACED' });
    expect(await group.store.heartbeat('static-1', 's10 ')).toEqual({ status: 'REPLACED' });
    expect((await group.store.snapshot()).beats.get('static-1')).toBe(1);
  });
});

describe('leave-group', () => {
  test('LEFT: the member and its counter are gone, the others are woken', async ({ group }) => {
    const wakes = await group.listen();
    await group.join('a');
    const { session } = await group.join('b');
    expect(await group.store.leave('b', session)).toBe('LEFT');
    const { generation, members, beats } = await group.store.snapshot();
    expect(generation).toBe(3);
    expect([...members.keys(), ...beats.keys()]).toEqual(['a', 'a']);
    expect((await group.history()).at(-1)).toBe('member-left member=b generation=3');
    await eventually(() => expect(wakes).toEqual(['generation', 'generation', 'generation']));
  });

  test('LEFT: a leader that leaves leads no longer, and the leader is asked for first', async ({ group }) => {
    const epoch = await group.lead('a');
    await group.join('b');
    const wakes = await group.listen();
    await group.store.leave('a', memberOf('a').session);
    expect((await group.store.snapshot()).leader).toEqual({ memberId: '', epoch });
    await eventually(() => expect(wakes.map((what) => what.split('-')[0])).toEqual(['leader', 'generation']));
  });

  test('LEFT: a leader stays when somebody else leaves', async ({ group }) => {
    const epoch = await group.lead('a');
    const { session } = await group.join('b');
    await group.store.leave('b', session);
    expect((await group.store.snapshot()).leader).toEqual({ memberId: 'a', epoch });
  });

  test('UNKNOWN_MEMBER: the second time, and the generation rises once', async ({ group }) => {
    const { session } = await group.join('a');
    await group.store.leave('a', session);
    expect(await group.store.leave('a', session)).toBe('UNKNOWN_MEMBER');
    expect((await group.store.snapshot()).generation).toBe(2);
    expect(await group.history()).toHaveLength(2);
  });

  test('UNKNOWN_MEMBER: a session that was replaced does not take its heir with it', async ({ group }) => {
    const { session } = await group.join('static-1');
    await group.store.join(memberOf('static-1', { session: 's2' }), { beat: 1, evenIfPresent: true });
    expect(await group.store.leave('static-1', session)).toBe('UNKNOWN_MEMBER');
    expect((await group.store.snapshot()).members.has('static-1')).toBe(true);
  });
});

describe('update-member', () => {
  test('OK: the new description, a new generation, and a reason in the history', async ({ group }) => {
    const wakes = await group.listen();
    const member = await group.join('a');
    const changed = memberOf('a', { ...member, isLeaving: true });
    expect(await group.store.update(changed, 'begins to leave')).toBe('OK');
    const { generation, members } = await group.store.snapshot();
    expect(generation).toBe(2);
    expect(members.get('a')).toEqual(changed);
    expect((await group.history()).at(-1)).toBe('member-changed member=a what=begins to leave generation=2');
    await eventually(() => expect(wakes).toEqual(['generation', 'generation']));
  });

  test('OK: sent twice, or saying nothing new, it raises the generation once', async ({ group }) => {
    const member = await group.join('a');
    await group.store.update(member, 'nothing');
    expect((await group.store.snapshot()).generation).toBe(1);
    const changed = memberOf('a', { ...member, capacity: 3 });
    await group.store.update(changed, 'capacity');
    await group.store.update(changed, 'capacity');
    expect((await group.store.snapshot()).generation).toBe(2);
    expect(await group.history()).toHaveLength(2);
  });

  test('OK: does not renew: the counter stands still', async ({ group }) => {
    const member = await group.join('a');
    await group.store.update({ ...member, capacity: 3 }, 'capacity');
    expect((await group.store.snapshot()).beats.get('a')).toBe(1);
  });

  test('UNKNOWN_MEMBER: not in the group, or in it by another session', async ({ group }) => {
    expect(await group.store.update(memberOf('a'), 'x')).toBe('UNKNOWN_MEMBER');
    await group.join('a');
    const other = memberOf('a', { session: 's2', capacity: 5 });
    expect(await group.store.update(other, 'x')).toBe('UNKNOWN_MEMBER');
    expect((await group.store.snapshot()).members.get('a')?.capacity).toBe(1);
    expect((await group.store.snapshot()).generation).toBe(1);
  });
});
