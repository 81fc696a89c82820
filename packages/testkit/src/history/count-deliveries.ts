/** How much work was done, and how much of it again. */
import type { HistoryIndex } from './history-index.ts';
import { okOf } from './pair-operations.ts';

export function countDeliveries(index: HistoryIndex): {
  readonly delivered: number;
  readonly redelivered: number;
} {
  let delivered = 0;
  let redelivered = 0;
  for (const { deliveries } of index.groups.values()) {
    /** Value → the ownership that began with it last. A handler that is called again after it threw is no redelivery. */
    const begun = new Map<string, number>();
    for (const { operation } of deliveries) {
      const { value, epoch } = operation.invoke;
      if (okOf(operation) !== null) delivered++;
      const before = begun.get(value);
      if (before !== undefined && before !== epoch) redelivered++;
      begun.set(value, epoch);
    }
  }
  return { delivered, redelivered };
}
