/**
 * The sticky assignor: how long it takes, and how many partitions it moves against the fewest possible.
 *
 * Times are medians of a warm process, and the best of the runs: where they are far apart, the machine was busy with
 * something else. Members list their topics in arrays of their own, as the leader gets them. With
 * random halves every member subscribes to half of the topics, drawn by a generator with a seed.
 *
 * `node test/bench/assignment.ts [--runs 31] [--json]`
 */
import { parseArgs } from 'node:util';
import {
  countMoves,
  emptyAssignment,
  stickyAssignor,
  type Assignment,
  type AssignmentInput,
  type AssignmentMember,
} from '@millrace/core';
import { median } from './median.ts';
import { seededRandom } from './seeded-random.ts';

const { values: options } = parseArgs({
  options: { runs: { type: 'string', default: '31' }, json: { type: 'boolean', default: false } },
});
const RUNS = Number(options.runs);

interface Shape {
  readonly topics: number;
  readonly partitionsPerTopic: number;
  readonly members: number;
  readonly randomHalves: boolean;
}

interface Times {
  readonly size: string;
  readonly topics: number;
  readonly targetMs: number;
  readonly fresh: Duration;
  readonly join: Duration;
  readonly leave: Duration;
  readonly unchanged: Duration;
}

interface Duration {
  readonly medianMs: number;
  readonly bestMs: number;
}

interface Moves {
  readonly change: string;
  readonly moves: number;
  /** No assignment with spread has fewer, balanced or not. */
  readonly fewestBySpread: number;
  readonly sizes: string;
  /** Why there is no better one, where that can be told at this size. */
  readonly proof: string;
}

const TIMED: readonly (Shape & { readonly targetMs: number })[] = [
  { topics: 100, partitionsPerTopic: 100, members: 1000, randomHalves: false, targetMs: 5 },
  { topics: 10, partitionsPerTopic: 1000, members: 1000, randomHalves: false, targetMs: 5 },
  { topics: 100, partitionsPerTopic: 1000, members: 1000, randomHalves: false, targetMs: 15 },
  { topics: 10, partitionsPerTopic: 10_000, members: 1000, randomHalves: false, targetMs: 15 },
  { topics: 500, partitionsPerTopic: 2000, members: 2000, randomHalves: false, targetMs: 200 },
  { topics: 100, partitionsPerTopic: 10_000, members: 2000, randomHalves: false, targetMs: 200 },
  { topics: 100, partitionsPerTopic: 1000, members: 1000, randomHalves: true, targetMs: 60 },
];

interface Group {
  readonly topics: ReadonlyMap<string, number>;
  readonly members: readonly AssignmentMember[];
  readonly joiner: AssignmentMember;
}

function groupOf({ topics, partitionsPerTopic, members, randomHalves }: Shape): Group {
  const random = seededRandom(1);
  const names = Array.from({ length: topics }, (_, t) => `topic-${String(t).padStart(4, '0')}`);
  const member = (): AssignmentMember => ({
    memberId: `worker-${Math.floor(random() * 2 ** 32).toString(36)}`,
    topics: randomHalves ? names.filter(() => random() < 0.5) : [...names],
  });
  return {
    topics: new Map(names.map((name) => [name, partitionsPerTopic])),
    members: Array.from({ length: members }, member),
    joiner: member(),
  };
}

/** Long enough for the compiler to have seen every loop of the assignor. */
const WARM_UP_MS = 400;

function measure(input: AssignmentInput): Duration {
  const warmAtMs = performance.now() + WARM_UP_MS;
  while (performance.now() < warmAtMs) stickyAssignor.assign(input);
  const ms: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const startedMs = performance.now();
    stickyAssignor.assign(input);
    ms.push(performance.now() - startedMs);
  }
  return { medianMs: median(ms), bestMs: Math.min(...ms) };
}

function time(shape: (typeof TIMED)[number]): Times {
  const { topics, members, joiner } = groupOf(shape);
  const current = stickyAssignor.assign({ members, topics, current: emptyAssignment });
  const partitions = (shape.topics * shape.partitionsPerTopic).toLocaleString('en');
  return {
    size: `${partitions} x ${shape.members.toLocaleString('en')}${shape.randomHalves ? ', random halves' : ''}`,
    topics: shape.topics,
    targetMs: shape.targetMs,
    fresh: measure({ members, topics, current: emptyAssignment }),
    join: measure({ members: [...members, joiner], topics, current }),
    leave: measure({ members: members.slice(1), topics, current }),
    unchanged: measure({ members, topics, current }),
  };
}

function movesOf(change: string, input: AssignmentInput): Moves {
  const after = stickyAssignor.assign(input);
  const moves = countMoves(input.current, after);
  const fewestBySpread = fewestMovesBySpread(input);
  const sizes = sizesOf(after);
  const smallest = Math.min(...sizes);
  const largest = Math.max(...sizes);
  let proof = 'the fewest that even out as much as they move';
  if (moves === fewestBySpread) proof = 'spread alone asks for as many';
  else if (largest - smallest <= 1) proof = 'the fewest for sizes within one of each other';
  return { change, moves, fewestBySpread, sizes: `${smallest}-${largest}`, proof };
}

function sizesOf({ memberIds, owners }: Assignment): Int32Array {
  const sizes = new Int32Array(memberIds.length);
  for (const list of owners.values())
    for (const owner of list) if (owner >= 0) sizes[owner] = (sizes[owner] ?? 0) + 1;
  return sizes;
}

/** Per topic, what members that left or that have more than their share must lose. */
function fewestMovesBySpread({ members, topics, current }: AssignmentInput): number {
  const owned = new Map([...topics.keys()].map((topic) => [topic, new Map<string, number>()]));
  for (const member of members) for (const topic of member.topics) owned.get(topic)?.set(member.memberId, 0);
  let fewest = 0;
  for (const [topic, owners] of current.owners) {
    const counts = owned.get(topic) ?? new Map<string, number>();
    for (const owner of owners) {
      const memberId = current.memberIds[owner] ?? '';
      const count = counts.get(memberId);
      if (count !== undefined) counts.set(memberId, count + 1);
    }
    const floor = Math.floor(owners.length / counts.size);
    let kept = 0;
    let above = 0;
    for (const count of counts.values()) {
      kept += Math.min(count, floor);
      if (count > floor) above++;
    }
    fewest += owners.length - kept - Math.min(above, owners.length % counts.size);
  }
  return fewest;
}

function oneTopic(partitions: number, from: number, to: number): Moves {
  const topics = new Map([['topic', partitions]]);
  const ids = Array.from({ length: Math.max(from, to) }, (_, m) => ({
    memberId: `c${m}`,
    topics: ['topic'],
  }));
  // The first one leaves: with all the others one place further is where assignors that count from 0 move everything.
  const before = from > to ? ids : ids.slice(0, from);
  const after = from > to ? ids.slice(from - to) : ids;
  const current = stickyAssignor.assign({ members: before, topics, current: emptyAssignment });
  return movesOf(`${partitions} partitions, ${from} -> ${to} members`, { members: after, topics, current });
}

function halves(shape: Shape): Moves[] {
  const { topics, members, joiner } = groupOf(shape);
  const current = stickyAssignor.assign({ members, topics, current: emptyAssignment });
  const rest = members.slice(1);
  const heir = { memberId: 'heir', topics: members[0]?.topics ?? [] };
  const size = `${shape.topics * shape.partitionsPerTopic} x ${shape.members}, random halves`;
  return [
    movesOf(`${size}: one leaves`, { members: rest, topics, current }),
    movesOf(`${size}: one joins`, { members: [...members, joiner], topics, current }),
    movesOf(`${size}: one leaves, one joins`, { members: [...rest, joiner], topics, current }),
    movesOf(`${size}: the same, equal subscription`, { members: [...rest, heir], topics, current }),
  ];
}

const times = TIMED.map(time);
const moves = [
  oneTopic(12, 2, 3),
  oneTopic(64, 3, 4),
  oneTopic(64, 7, 8),
  oneTopic(128, 9, 10),
  oneTopic(64, 7, 6),
  oneTopic(128, 9, 8),
  ...halves({ topics: 100, partitionsPerTopic: 1000, members: 1000, randomHalves: true }),
  ...halves({ topics: 100, partitionsPerTopic: 10, members: 20, randomHalves: true }),
];

if (options.json) {
  console.log(JSON.stringify({ runs: RUNS, times, moves }));
} else {
  const show = ({ medianMs, bestMs }: Duration): string => `${medianMs.toFixed(2)} (${bestMs.toFixed(2)})`;
  console.log('milliseconds: median (best)');
  console.table(
    times.map(({ fresh, join, leave, unchanged, ...rest }) => ({
      ...rest,
      fresh: show(fresh),
      join: show(join),
      leave: show(leave),
      unchanged: show(unchanged),
    })),
  );
  console.table(moves);
}
