/** Makes one fault happen. */
import type { Fault, FaultRole } from './faults.ts';
import type { Actors } from './run-seed.ts';
import type { SimConnection } from './sim-connection.ts';
import { SeededRandom } from './seeded-random.ts';

const MAX_PARTITIONS = 8;

export function applyFault({ world, workers, producers }: Actors, fault: Fault): void {
  const { simulation, redis, oracle, ownership, settings } = world;
  const { nowMs } = simulation;
  const worker = 'worker' in fault ? workers[fault.worker % workers.length] : undefined;
  const connections = 'role' in fault ? ofRole(worker?.connections ?? [], fault.role) : [];
  const everybody = [...workers, ...producers].flatMap((one) =>
    'connections' in one ? one.connections : [one.connection],
  );
  ownership.disturbed();
  const endsIn = (forMs: number): void =>
    void simulation.schedule(forMs, null, `end of ${fault.kind}`, () => ownership.disturbed());

  switch (fault.kind) {
    case 'kill':
    case 'close': {
      if (worker === undefined || !worker.isAlive) return;
      worker.isWanted = false;
      if (fault.kind === 'kill') worker.kill(fault.halfOpenMs);
      else worker.close();
      simulation.schedule(fault.downMs, null, `${worker.name} is wanted`, () => {
        // All of them are by then, until they are closed for good.
        if (world.isResting) return;
        worker.isWanted = true;
        worker.start();
      });
      return;
    }
    case 'freeze':
      worker?.freeze(nowMs + fault.forMs);
      return endsIn(fault.forMs);
    case 'block':
      worker?.block(nowMs + fault.forMs);
      return endsIn(fault.forMs);
    case 'cut':
      for (const connection of connections) connection.cut(fault);
      return endsIn(Math.max(fault.forMs, fault.halfOpenMs));
    case 'silence':
      for (const connection of connections) connection.silence(fault.forMs);
      return endsIn(fault.forMs);
    case 'lose-replies':
      for (const connection of connections) connection.repliesToLose = fault.count;
      return;
    case 'repeat-calls':
      for (const connection of connections) connection.callsToRepeat = fault.count;
      return;
    case 'slow':
      for (const connection of connections) {
        connection.slowMs = fault.wayMs;
        connection.slowUntilMs = nowMs + fault.forMs;
      }
      return endsIn(fault.forMs);
    case 'stall-server':
      redis.stalledUntilMs = Math.max(redis.stalledUntilMs, nowMs + fault.forMs);
      for (const connection of everybody) connection.noticeStall();
      return endsIn(fault.forMs);
    case 'lose-wakes':
      redis.wakesLostUntilMs = nowMs + fault.forMs;
      return endsIn(fault.forMs);
    case 'fail-over':
      redis.isDown = true;
      redis.failOver(fault);
      for (const connection of everybody)
        connection.cut({ forMs: fault.downMs, isLate: false, halfOpenMs: 0 });
      simulation.schedule(fault.downMs, null, 'end of the failover', () => {
        redis.isDown = false;
        ownership.disturbed();
      });
      return;
    case 'shift-server-clock':
      if (fault.byMs < 0) oracle.isServerClockTrusted = false;
      redis.clockShiftMs += fault.byMs;
      return;
    case 'shift-worker-clock':
      if (worker !== undefined) worker.clock.skewMs += fault.byMs;
      return;
    case 'drop-lock': {
      const group = settings.groups[fault.group % settings.groups.length];
      if (group !== undefined) redis.dropLock(group.name);
      return;
    }
    case 'disturb-producer': {
      const producer = producers[fault.producer % producers.length]?.connection;
      if (producer === undefined) return;
      if (fault.how === 'lose-replies') producer.repliesToLose = 2;
      else if (fault.how === 'repeat-calls') producer.callsToRepeat = 2;
      else producer.cut({ forMs: 0, isLate: fault.how === 'late', halfOpenMs: 0 });
      return;
    }
    case 'seek':
      worker?.seek(new SeededRandom(`seek ${fault.seed}`));
      return;
    case 'add-partition':
    case 'recreate-topic':
      changeTopic(world, fault);
      return;
    default:
      fault satisfies never;
  }
}

function changeTopic(
  { redis, oracle, ownership, settings, simulation }: Actors['world'],
  fault: Fault & { kind: 'add-partition' | 'recreate-topic' },
): void {
  const names = [...settings.topics.keys()];
  const topic = names[fault.topic % names.length] ?? 'orders';
  const entry = redis.catalogue().get(topic);
  if (entry === undefined) return;
  const expectAll = (): void => {
    for (const { name } of settings.groups)
      for (const key of redis.partitionKeys()) ownership.expect(name, key);
  };
  if (fault.kind === 'add-partition') {
    redis.createTopic(topic, { ...entry, partitions: Math.min(MAX_PARTITIONS, entry.partitions + 1) });
    expectAll();
    return;
  }
  const keys = redis.partitionKeys().filter((key) => key.startsWith(`${topic}/`));
  for (const { name } of settings.groups) for (const key of keys) ownership.forget(name, key);
  for (const reader of oracle.readers) for (const key of keys) reader.recreated(key);
  redis.deleteTopic(topic);
  redis.createTopic(topic, { ...entry, incarnation: `${Math.round(simulation.nowMs)}-x` });
  expectAll();
}

function ofRole(connections: readonly SimConnection[], role: FaultRole): readonly SimConnection[] {
  return role === 'all' ? connections : connections.filter((connection) => connection.role === role);
}
