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
      this.#lastEvent = event.id;
      const text = this.#describe(event);
      if (text !== undefined) report(this.#state, event.atMs, 'group', text);
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

  /** In words; undefined for what the person was told in another way or need not know. */
  #describe({ type, fields }: GroupEvent): string | undefined {
    const who = this.#name(fields['member']);
    switch (type) {
      case 'member-joined':
        return `${who} has joined`;
      case 'member-left':
        return `${who} has left the group`;
      case 'member-evicted':
        return `${who} shows no sign of life (${fields['reason']}): out of the group`;
      case 'leader-elected':
        return `${who} leads the group now`;
      case 'assigned':
        return `generation ${fields['generation']} is assigned: ${fields['moves']} of ${this.#state.partitionCount} partitions move`;
      default:
        return undefined;
    }
  }

  #name(memberId: string | undefined): string {
    const worker = this.#state.workers.find((candidate) => candidate.memberId === memberId);
    return worker?.name ?? `member ${memberId}`;
  }
}
