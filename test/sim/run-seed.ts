/**
 * One seed: a world is drawn, works while faults happen, and heals. Then everything must come to rest: every partition
 * owned, every record delivered and committed, and after the last process has closed, nothing left of it.
 */
import { applyFault } from './apply-fault.ts';
import { drawFaults, type Fault } from './faults.ts';
import { Oracle } from './oracle.ts';
import { OwnershipWatch } from './ownership-watch.ts';
import { SeededRandom } from './seeded-random.ts';
import { SimProducer } from './sim-producer.ts';
import { SimRedis } from './sim-redis.ts';
import { SimWorker } from './sim-worker.ts';
import { Simulation, type Violation } from './simulation.ts';
import { drawSettings, type World } from './world.ts';

export interface SeedResult {
  readonly seed: number;
  readonly events: number;
  readonly virtualMs: number;
  readonly faults: readonly Fault[];
  readonly traceHash: string;
  readonly delivered: number;
  readonly appended: number;
  readonly lost: number;
  readonly trimmed: number;
  readonly longestUnownedMs: number;
  readonly restMs: number;
  readonly failure: (Violation & { readonly event: number; readonly atMs: number }) | null;
  readonly trace: readonly string[];
}

export interface SeedOptions {
  readonly seed: number;
  readonly events: number;
  /** Instead of those that the seed draws. */
  readonly faults?: readonly Fault[];
  readonly onEvent?: Simulation['onEvent'];
}

const TICK_MS = 500;
/** For all that was going on to come to rest once nothing goes wrong any more. */
const REST_BOUND_MS = 45_000;
const CLOSE_BOUND_MS = 20_000;
/** Events are few where everybody is frozen: faults end then, too. */
const MAX_FAULTY_MS = 120_000;

export interface Actors {
  readonly world: World;
  readonly workers: readonly SimWorker[];
  readonly producers: readonly SimProducer[];
}

export async function runSeed({ seed, events, faults, onEvent = null }: SeedOptions): Promise<SeedResult> {
  const random = new SeededRandom(`seed ${seed}`);
  const settings = drawSettings(random.fork('settings'));
  const schedule = faults ?? drawFaults(random.fork('faults'), MAX_FAULTY_MS);
  const simulation = new Simulation();
  simulation.onEvent = onEvent;
  const ownership = new OwnershipWatch(simulation);
  const oracle = new Oracle(simulation, ownership);
  const redis = new SimRedis(simulation, random.fork('redis'), oracle);
  const world: World = { simulation, redis, oracle, ownership, random, settings, isResting: false };
  const { topics, trimCommittedAfterMs } = settings;
  for (const [topic, partitions] of topics)
    redis.createTopic(topic, {
      partitions,
      incarnation: '1-x',
      limits: { version: 1, limits: { trimCommittedAfterMs } },
    });
  const workers = Array.from({ length: settings.workers }, (_, index) => new SimWorker(world, index));
  const producers = Array.from({ length: settings.producers }, (_, index) => new SimProducer(world, index));
  const actors: Actors = { world, workers, producers };

  const onRejection = (error: unknown): void => {
    simulation.fail(
      'unhandled-rejection',
      error instanceof Error ? (error.stack ?? error.message) : String(error),
    );
  };
  process.on('unhandledRejection', onRejection);
  try {
    const applied = await work(actors, schedule, events);
    const restFromMs = simulation.nowMs;
    await rest(actors);
    const restMs = simulation.nowMs - restFromMs;
    await closeAll(actors);
    return {
      seed,
      events: simulation.events,
      virtualMs: simulation.nowMs,
      faults: applied,
      traceHash: simulation.traceHash,
      delivered: workers.reduce((sum, worker) => sum + worker.delivered, 0),
      appended: oracle.appendedRecords,
      lost: oracle.lostRecords,
      trimmed: oracle.trimmedRecords,
      longestUnownedMs: ownership.longestMs,
      restMs,
      failure: simulation.failure,
      trace: simulation.failure === null ? [] : simulation.trace,
    };
  } finally {
    process.off('unhandledRejection', onRejection);
  }
}

/** Until so many events have run. Answers the faults that happened. */
async function work(actors: Actors, schedule: readonly Fault[], events: number): Promise<Fault[]> {
  const { world, workers, producers } = actors;
  const { simulation } = world;
  const applied: Fault[] = [];
  let isOver = false;
  for (const worker of workers)
    simulation.schedule(world.random.next() * 300, null, `first start of ${worker.name}`, () =>
      worker.start(),
    );
  for (const producer of producers) producer.start();
  for (const fault of schedule) {
    simulation.schedule(fault.atMs, null, fault.kind, () => {
      if (isOver) return;
      simulation.note(`fault: ${JSON.stringify(fault)}`);
      applied.push(fault);
      applyFault(actors, fault);
    });
  }
  watchOwnership(actors, () => isOver);
  while (simulation.failure === null && simulation.events < events && simulation.nowMs < MAX_FAULTY_MS)
    await simulation.step();
  isOver = true;
  return applied;
}

function watchOwnership(actors: Actors, isOver: () => boolean): void {
  const { simulation, ownership } = actors.world;
  expectAllPartitions(actors);
  if (actors.workers.some((worker) => worker.isRunning)) ownership.check();
  simulation.schedule(TICK_MS, null, 'tick', () => {
    if (!isOver()) watchOwnership(actors, isOver);
  });
}

function expectAllPartitions({ world }: Actors): void {
  for (const key of world.redis.partitionKeys())
    for (const { name } of world.settings.groups) world.ownership.expect(name, key);
}

async function rest(actors: Actors): Promise<void> {
  const { world, workers, producers } = actors;
  const { simulation } = world;
  for (const producer of producers) producer.isStopped = true;
  for (const worker of workers) {
    worker.isWanted = true;
    worker.start();
  }
  world.isResting = true;
  simulation.note('faults are over');
  const boundMs = simulation.nowMs + REST_BOUND_MS;
  for (let unrest = unrestOf(actors); unrest.length > 0; unrest = unrestOf(actors)) {
    if (simulation.failure !== null) return;
    if (simulation.nowMs > boundMs) {
      const [first] = unrest;
      simulation.fail(first?.invariant ?? 'rest', unrest.map(({ what }) => what).join('; '));
      return;
    }
    const untilMs = simulation.nowMs + TICK_MS;
    simulation.schedule(TICK_MS, null, 'look', () => {});
    while (simulation.failure === null && simulation.nowMs < untilMs) await simulation.step();
  }
}

/** What is not as it must be when nothing goes wrong. */
function unrestOf(actors: Actors): Violation[] {
  const { world, workers, producers } = actors;
  const { redis, oracle, ownership } = world;
  const unrest: Violation[] = [];
  expectAllPartitions(actors);
  for (const worker of workers)
    if (!worker.isRunning) unrest.push({ invariant: 'rest', what: `${worker.name} does not run` });
  for (const worker of workers) for (const what of worker.untold()) unrest.push({ invariant: 'I7', what });
  for (const producer of producers)
    if (!producer.isIdle) unrest.push({ invariant: 'rest', what: 'a producer is not done' });
  for (const name of ownership.unowned()) unrest.push({ invariant: 'I8', what: `nobody owns ${name}` });
  for (const key of redis.partitionKeys()) {
    const slot = redis.slot(key);
    if (slot === undefined) continue;
    for (const { name } of world.settings.groups) {
      const committed = slot.groups.get(name)?.stored?.committed ?? -1;
      if (committed !== slot.log.end)
        unrest.push({
          invariant: 'I6',
          what: `${key} of ${name} is committed to ${committed} of ${slot.log.end}`,
        });
      else if (slot.values.some((value) => !oracle.isDone(name, value) && !oracle.isSkipped(name, value)))
        unrest.push({ invariant: 'I6', what: `a record of ${key} was never delivered to ${name}` });
    }
  }
  return unrest;
}

async function closeAll({ world, workers }: Actors): Promise<void> {
  const { simulation } = world;
  for (const worker of workers) {
    worker.isWanted = false;
    worker.close();
  }
  const boundMs = simulation.nowMs + CLOSE_BOUND_MS;
  while (simulation.failure === null && workers.some((worker) => worker.isAlive)) {
    if (simulation.nowMs > boundMs || !(await simulation.step())) {
      const open = workers.filter((worker) => worker.isAlive).map((worker) => worker.name);
      simulation.fail('close', `${open.join(', ')} did not close`);
    }
  }
}
