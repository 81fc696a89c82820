/** Workers in processes of their own on one group, and what they said. */
import { eventually, startProcess, type StartedProcess } from '@millrace/testkit';
import type { FromWorker, ToWorker, WorkerSettings } from './processes/worker.ts';

export type Worker = StartedProcess<FromWorker, ToWorker>;
export type Handled = Extract<FromWorker, { type: 'record' }>;

/** Starting a process takes long on a busy machine. */
const TIMEOUT_MS = 40_000;

const MODULE = new URL('./processes/worker.ts', import.meta.url);

/** Resolves when the worker has joined. */
export async function startWorker(settings: WorkerSettings): Promise<Worker> {
  const worker = await startProcess<FromWorker, ToWorker>({
    module: MODULE,
    args: [JSON.stringify(settings)],
  });
  await worker.waitFor((message) => message.type === 'joined', { timeoutMs: TIMEOUT_MS });
  return worker;
}

export function handled(worker: Worker, from = 0): Handled[] {
  return worker.messages.slice(from).filter((message) => message.type === 'record');
}

/** Everything that all of them have handled, in the order of the clock that they share. */
export function handledByAll(workers: readonly Worker[]): Handled[] {
  return workers.flatMap((worker) => handled(worker)).toSorted((a, b) => a.atMs - b.atMs);
}

export async function closeWorker(worker: Worker): Promise<void> {
  await worker.send({ type: 'close' });
  await worker.waitFor((message) => message.type === 'closed', { timeoutMs: TIMEOUT_MS });
  await worker.exited;
}

export async function isLeader(worker: Worker): Promise<boolean> {
  const from = worker.messages.length;
  await worker.send({ type: 'ask-leader' });
  const answer = await worker.waitFor((message) => message.type === 'leader', { from });
  return answer.type === 'leader' && answer.isLeader;
}

/** The one that leads, and the others. */
export async function findLeader(
  workers: readonly Worker[],
): Promise<{ leader: Worker; followers: Worker[] }> {
  return eventually(async () => {
    const leads = await Promise.all(workers.map((worker) => isLeader(worker)));
    const leader = workers[leads.indexOf(true)];
    return leader === undefined ? null : { leader, followers: workers.filter((worker) => worker !== leader) };
  });
}

/**
 * What must hold of every history: in one epoch of a partition offsets come one after the other, and a new epoch
 * begins at or before where the one before it ended. Answers what breaks it.
 */
export function findDisorder(records: readonly Handled[]): string[] {
  const problems: string[] = [];
  const byPartition = Map.groupBy(records, ({ topic, partition }) => `${topic}/${partition}`);
  for (const [partition, list] of byPartition) {
    const byEpoch = [...Map.groupBy(list, ({ epoch }) => epoch)].toSorted(([a], [b]) => a - b);
    let reached = -1;
    for (const [epoch, ownership] of byEpoch) {
      const first = ownership[0]?.offset ?? 0;
      if (first > reached + 1)
        problems.push(`${partition}: epoch ${epoch} began at ${first}, after ${reached}`);
      ownership.forEach(({ offset }, index) => {
        if (offset !== first + index)
          problems.push(`${partition}: epoch ${epoch} had ${offset} at place ${first + index}`);
        reached = Math.max(reached, offset);
      });
    }
  }
  return problems;
}
