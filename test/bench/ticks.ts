/** A steady stream into every partition, and the wait until every partition is being worked on. */
import { eventually } from '@millrace/testkit';
import type { Millrace } from 'millrace';
import { handled, type Worker } from '../e2e/fleet.ts';

/** One record into every partition, every `intervalMs`; its value is when it was sent (ms). Returns what stops it. */
export function tickEverywhere(
  millrace: Millrace,
  topic: string,
  partitions: number,
  intervalMs: number,
): () => void {
  const producer = millrace.producer();
  const timer = setInterval(() => {
    const value = String(performance.timeOrigin + performance.now());
    for (let partition = 0; partition < partitions; partition++) {
      producer.send(topic, { partition, value }).catch((error: unknown) => {
        console.error(`a tick was not appended: ${String(error)}`);
      });
    }
  }, intervalMs);
  return () => clearInterval(timer);
}

/** Every partition is handled by one of them, from now on. */
export async function untilAllRun(workers: readonly Worker[], partitions: number): Promise<void> {
  const from = new Map(workers.map((worker) => [worker, worker.messages.length]));
  await eventually(
    () => {
      const seen = new Set<number>();
      for (const [worker, first] of from)
        for (const { partition } of handled(worker, first)) seen.add(partition);
      return seen.size === partitions;
    },
    { timeoutMs: 40_000 },
  );
}
