/** A final log as it stands in a report: only the records that matter. */
import type { FactEvent } from './history-event.ts';

export function sliceLog(log: FactEvent<'final-log'>, offsets: readonly number[]): FactEvent<'final-log'> {
  return { ...log, records: log.records.filter(([offset]) => offsets.includes(offset)) };
}
