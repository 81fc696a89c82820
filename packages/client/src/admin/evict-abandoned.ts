/**
 * A group whose last members all died has nobody left to evict them. Whoever wants to delete it looks for them
 * instead: by the rules of a leader, so a member that only lost its connection for a moment is not taken for dead.
 */
import { initialLiveness, observeLiveness, type Clock, type GroupStore } from '@millrace/core';
import { delay } from '../clock/delay.ts';

const LOOK_INTERVAL_MS = 250;
/** No member has it: the observer is none of them. */
const OBSERVER = '';

/** Takes up to the longest lease of the members, and no time when one of them is present. Answers how many remain. */
export async function evictAbandoned(group: GroupStore, clock: Clock): Promise<number> {
  let liveness = initialLiveness(clock.monotonicMs());
  for (;;) {
    const { members } = await group.snapshot();
    if (members.size === 0) return 0;
    const watch = await group.watch([...members.keys()]);
    for (const { subscribers } of watch.signs.values()) if (subscribers > 0) return members.size;
    const seen = observeLiveness(liveness, members, watch.signs, OBSERVER, clock.monotonicMs(), {
      // Presence alone kills nobody here: there is no hurry, and the whole lease is the safer sign.
      presenceGraceMs: Number.POSITIVE_INFINITY,
    });
    liveness = seen.state;
    for (const { memberId, beat } of seen.dead)
      await group.evict(watch.leader.epoch, memberId, beat, 'lease');
    await delay(clock, seen.dead.length === 0 ? LOOK_INTERVAL_MS : 0);
  }
}
