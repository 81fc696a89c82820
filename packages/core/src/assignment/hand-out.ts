/**
 * Last step: from shares to partitions. A member keeps the lowest of the partitions that it owns, up to its share; what
 * is free then goes round the members that have room, in turn, so that neighbours land on different members (their load
 * is often alike).
 */
import type { ContestedTopic } from './extras.ts';
import type { IndexedInput } from './indexed-input.ts';
import type { ShareRule } from './share-rule.ts';
import type { Assignment } from './types.ts';

const NOBODY = -1;

export function handOut(
  input: IndexedInput,
  rule: ShareRule,
  contested: readonly ContestedTopic[],
): Assignment {
  const holdersOf = new Map(contested.map((entry) => [entry.topic, entry]));
  // By member number. Filled for the subscribers of a topic and used up by it, so it is all zeros between topics.
  const room = new Int32Array(input.members.length);
  const owners = new Map<string, Int32Array>();
  for (const [t, topic] of input.topics.entries()) {
    rule.writeFloors(t, room);
    const entry = holdersOf.get(t);
    if (entry !== undefined) for (let i = 0; i < entry.holders; i++) room[entry.members[i]!]!++;
    const list = new Int32Array(input.partitionCounts[t]!).fill(NOBODY);
    const free = keepOwned(input, t, room, list);
    if (free > 0) fillFree(input.subscribers[t]!, room, list);
    owners.set(topic, list);
  }
  return { memberIds: input.memberIds, owners };
}

/** Returns how many partitions are left without an owner. */
function keepOwned(input: IndexedInput, topic: number, room: Int32Array, list: Int32Array): number {
  const { memberOf, owners } = input.current;
  const before = owners[topic];
  if (before === undefined) return list.length;
  const end = Math.min(before.length, list.length);
  let kept = 0;
  for (let p = 0; p < end; p++) {
    const m = before[p]! < 0 ? NOBODY : memberOf[before[p]!]!;
    if (m < 0 || room[m] === 0) continue;
    room[m]!--;
    list[p] = m;
    kept++;
  }
  return list.length - kept;
}

function fillFree(subscribers: Int32Array, room: Int32Array, list: Int32Array): void {
  const takers = new Int32Array(Math.min(subscribers.length, list.length));
  let remaining = 0;
  for (let i = 0; i < subscribers.length; i++)
    if (room[subscribers[i]!]! > 0) takers[remaining++] = subscribers[i]!;
  let turn = 0;
  for (let p = 0; p < list.length && remaining > 0; p++) {
    if (list[p] !== NOBODY) continue;
    const m = takers[turn]!;
    list[p] = m;
    // Who is full leaves the round: those with room close up, in the same order, when the round ends.
    if (--room[m]! === 0) takers[turn] = NOBODY;
    turn++;
    if (turn < remaining) continue;
    turn = 0;
    let open = 0;
    for (let i = 0; i < remaining; i++) if (takers[i] !== NOBODY) takers[open++] = takers[i]!;
    remaining = open;
  }
}
