/** What a side reports of a piece of work: how many records in which time, and what its process paid for them. */

export interface Timing {
  readonly records: number;
  readonly seconds: number;
  /** Processor time of the whole process, its threads included. */
  readonly cpuSeconds: number;
}

export async function stopwatch(records: number, work: () => Promise<unknown>): Promise<Timing> {
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  await work();
  const seconds = (performance.now() - startedMs) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return { records, seconds, cpuSeconds: (user + system) / 1e6 };
}

/** Of what was done one after the other, with pauses that do not count. */
export function total(timings: readonly Timing[]): Timing {
  return timings.reduce(
    (sum, { records, seconds, cpuSeconds }) => ({
      records: sum.records + records,
      seconds: sum.seconds + seconds,
      cpuSeconds: sum.cpuSeconds + cpuSeconds,
    }),
    { records: 0, seconds: 0, cpuSeconds: 0 },
  );
}

/** Calls `work` for 0 to `count - 1` in so many lanes: each takes the next number when its last one is done. */
export async function inLanes(
  lanes: number,
  count: number,
  work: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
