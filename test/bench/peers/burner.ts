/** Process: does the work of a handler and nothing else, to see how much of it the cores allow. */
import { cpuWork } from '../run/cpu-work.ts';
import { stopwatch, type Timing } from '../run/stopwatch.ts';
import { serveTasks } from '../run/task-server.ts';

const tasks = {
  burn({ records }: { records: number }): Promise<Timing> {
    return stopwatch(records, async () => {
      let state = 1;
      for (let record = 0; record < records; record++) {
        state = cpuWork(state);
        // A handler that is asynchronous gives way as often.
        await Promise.resolve();
      }
      if (state === 0) throw new Error('xorshift never gives 0');
    });
  },
};

export type Burner = typeof tasks;
serveTasks(tasks);
