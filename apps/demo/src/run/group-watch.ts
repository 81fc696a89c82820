/** Looks at the group from outside, as an operator would: who leads, who owns what, and what has just happened. */
import type { Admin, GroupEvent } from 'millrace';

import { isAlive, report } from './run-state.ts';
import type { RunState } from './run-state.ts';

export interface GroupStanding {
  /** True when every partition is owned by a living worker, and the assignment is that of the current members. */
  readonly isSettled: boolean;
  /** Records that are in the log and not committed. */
  readonly lag: number;
}

export class GroupWatch {
  readonly #admin: Admin;
  readonly #group: string;
  readonly #state: RunState;
  #lastEvent: string | undefined;

  constructor(admin: Admin, group: string, state: RunState) {
    this.#admin = admin;
    this.#group = group;
    this.#state = state;
  }

  /** Takes leader, generation and the new events over into the state. */
  async look(): Promise<GroupStanding> {
    const [description, events] = await Promise.all([
      this.#admin.describeGroup(this.#group),
      this.#admin.groupEvents(this.#group, this.#lastEvent === undefined ? {} : { after: this.#lastEvent }),
    ]);
    this.#state.leader = description.leader ?? '';
    this.#state.generation = description.generation;
    for (const event of events) {
      const who = this.#name(event.fields['member']);
      // Its worker has yet to report which member it is: told in the next round, with all that follows.
      if (who === undefined) break;
      this.#lastEvent = event.id;
      const text = describeEvent(event, who, this.#state.partitionCount);
      // By our own clock: that of a Redis elsewhere need not agree with it.
      if (text !== undefined)
        report(this.#state, Date.now(), event.type in TROUBLES ? 'trouble' : 'group', text);
    }
    const alive = new Set(this.#state.workers.filter(isAlive).map(({ memberId }) => memberId));
    return {
      isSettled:
        description.assignmentGeneration === description.generation &&
        description.members.length === alive.size &&
        description.partitions.length === this.#state.partitionCount &&
        description.partitions.every(({ owner }) => owner !== null && alive.has(owner)),
      lag: description.partitions.reduce((total, { lag }) => total + (lag ?? 0), 0),
    };
  }

  /** Undefined while a worker that starts may be the one; empty where the event is about nobody. */
  #name(memberId: string | undefined): string | undefined {
    if (memberId === undefined) return '';
    const { workers } = this.#state;
    const worker = workers.find((candidate) => candidate.memberId === memberId);
    if (worker !== undefined) return worker.name;
    return workers.some(({ status }) => status === 'starting') ? undefined : `member ${memberId}`;
  }
}

/** What the leader's audit reports: it heals these, but they should not come about. */
const TROUBLES: Readonly<Record<string, string>> = {
  'partition-unowned': 'stood without an owner',
  'hand-over-forced': 'was not given up in time and is taken away',
};

/** In words; undefined for what the person is told in another way. */
function describeEvent({ type, fields }: GroupEvent, who: string, partitions: number): string | undefined {
  const trouble = TROUBLES[type];
  if (trouble !== undefined) return `partition ${fields['partition']} ${trouble}`;
  switch (type) {
    case 'member-joined':
      return `${who} has joined`;
    case 'member-returned':
      return `${who} is back`;
    case 'member-left':
      return `${who} has left the group`;
    case 'member-evicted':
      return `${who} shows no sign of life (${fields['reason']}): out of the group`;
    case 'leader-elected':
      return `${who} leads the group now`;
    case 'assigned': {
      const moves = Number(fields['moves']);
      const moved = moves === 0 ? 'no partition moves' : `${moves} of ${partitions} partitions move`;
      return `generation ${fields['generation']} is assigned: ${moved}`;
    }
    default:
      return undefined;
  }
}
