/** What goes wrong in one world: drawn before it begins, as plain data, so that a failing list can be made shorter. */
import type { Failover } from './sim-redis.ts';
import type { Cut } from './sim-connection.ts';
import type { SeededRandom } from './seeded-random.ts';

export type FaultRole = 'all' | 'command' | 'reader' | 'lease';

export type Fault = { readonly atMs: number } & (
  | {
      readonly kind: 'kill';
      readonly worker: number;
      readonly downMs: number;
      readonly halfOpenMs: number;
    }
  | { readonly kind: 'close'; readonly worker: number; readonly downMs: number }
  | { readonly kind: 'freeze' | 'block'; readonly worker: number; readonly forMs: number }
  | ({ readonly kind: 'cut'; readonly worker: number; readonly role: FaultRole } & Cut)
  | {
      readonly kind: 'silence';
      readonly worker: number;
      readonly role: FaultRole;
      readonly forMs: number;
    }
  | {
      readonly kind: 'lose-replies' | 'repeat-calls';
      readonly worker: number;
      readonly role: FaultRole;
      readonly count: number;
    }
  | {
      readonly kind: 'slow';
      readonly worker: number;
      readonly role: FaultRole;
      readonly forMs: number;
      readonly wayMs: number;
    }
  | { readonly kind: 'stall-server' | 'lose-wakes'; readonly forMs: number }
  | ({ readonly kind: 'fail-over'; readonly downMs: number } & Failover)
  | { readonly kind: 'shift-server-clock'; readonly byMs: number }
  | { readonly kind: 'shift-worker-clock'; readonly worker: number; readonly byMs: number }
  | { readonly kind: 'drop-lock'; readonly group: number }
  | {
      readonly kind: 'disturb-producer';
      readonly producer: number;
      readonly how: 'cut' | 'late' | 'lose-replies' | 'repeat-calls';
    }
  | { readonly kind: 'seek'; readonly worker: number; readonly seed: number }
  | { readonly kind: 'add-partition' | 'recreate-topic'; readonly topic: number }
);

/** Kinds are drawn as often as they stand here. */
const KINDS: readonly [Fault['kind'], ...Fault['kind'][]] = [
  ...times('kill', 6),
  ...times('close', 4),
  ...times('freeze', 4),
  ...times('block', 2),
  ...times('cut', 6),
  ...times('silence', 3),
  ...times('lose-replies', 5),
  ...times('repeat-calls', 3),
  ...times('slow', 3),
  ...times('stall-server', 2),
  ...times('lose-wakes', 2),
  ...times('fail-over', 4),
  ...times('shift-server-clock', 1),
  ...times('shift-worker-clock', 1),
  ...times('drop-lock', 2),
  ...times('disturb-producer', 4),
  ...times('seek', 3),
  ...times('add-partition', 1),
  ...times('recreate-topic', 1),
];

function times(kind: Fault['kind'], count: number): [Fault['kind'], ...Fault['kind'][]] {
  return [kind, ...Array.from({ length: count - 1 }, () => kind)];
}

/** Faults for `forMs`: some close together, some with calm between them. */
export function drawFaults(random: SeededRandom, forMs: number): Fault[] {
  const faults: Fault[] = [];
  const pace = random.pick([300, 800, 2_000]);
  // A world of few kinds goes deeper into what these do together.
  const kinds = random.chance(0.4) ? [random.pick(KINDS), random.pick(KINDS), random.pick(KINDS)] : KINDS;
  let atMs = 500 + random.next() * 2_000;
  while (atMs < forMs) {
    faults.push(drawFault(random, atMs, random.pick(kinds as typeof KINDS)));
    atMs += random.chance(0.15) ? 4_000 * random.next() : pace * 2 * random.next();
    if (random.chance(0.03)) atMs += 15_000;
  }
  return faults;
}

function drawFault(random: SeededRandom, at: number, kind: Fault['kind']): Fault {
  const atMs = Math.round(at);
  const worker = random.between(0, 4);
  const role = random.pick<FaultRole>(['all', 'all', 'command', 'command', 'reader', 'lease']);
  const shortMs = random.between(1, 400);
  const longMs = random.between(200, 6_000);
  switch (kind) {
    case 'kill':
      return {
        atMs,
        kind,
        worker,
        downMs: random.between(0, 4_000),
        halfOpenMs: random.pick([3, 3, 20_000]),
      };
    case 'close':
      return { atMs, kind, worker, downMs: random.between(0, 3_000) };
    case 'freeze':
    case 'block':
      return { atMs, kind, worker, forMs: random.pick([shortMs, longMs, longMs]) };
    case 'cut': {
      const forMs = random.pick([0, 0, shortMs, longMs]);
      return {
        atMs,
        kind,
        worker,
        role,
        forMs,
        isLate: random.chance(0.5),
        halfOpenMs: random.pick([0, 0, longMs]),
      };
    }
    case 'silence':
      return { atMs, kind, worker, role, forMs: random.pick([shortMs, longMs, 12_000]) };
    case 'lose-replies':
    case 'repeat-calls':
      return { atMs, kind, worker, role, count: random.between(1, 3) };
    case 'slow':
      return { atMs, kind, worker, role, forMs: longMs, wayMs: random.pick([30, 300, 1_000]) };
    case 'stall-server':
    case 'lose-wakes':
      return { atMs, kind, forMs: random.pick([shortMs, longMs]) };
    case 'fail-over':
      return {
        atMs,
        kind,
        downMs: random.pick([shortMs, shortMs, longMs]),
        mode: random.pick(['prefix', 'slots']),
        operations: random.pick([0, 3, 12, 40]),
      };
    case 'shift-server-clock':
      return { atMs, kind, byMs: random.pick([60_000, 3_600_000, -60_000, -500]) };
    case 'shift-worker-clock':
      return { atMs, kind, worker, byMs: random.between(-3_600_000, 3_600_000) };
    case 'drop-lock':
      return { atMs, kind, group: random.between(0, 1) };
    case 'disturb-producer': {
      const how = random.pick(['cut', 'late', 'lose-replies', 'repeat-calls'] as const);
      return { atMs, kind, producer: random.between(0, 1), how };
    }
    case 'seek':
      return { atMs, kind, worker, seed: random.between(0, 1_000_000) };
    case 'add-partition':
    case 'recreate-topic':
      return { atMs, kind, topic: random.between(0, 1) };
    default:
      return kind satisfies never;
  }
}
