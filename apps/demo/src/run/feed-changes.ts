/** Sends the history through a producer, in order and at a steady pace. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Producer } from 'millrace';

import { CHANGES } from '../changes-topic.ts';
import { pathBytes } from '../history/change.ts';
import type { Change } from '../history/change.ts';
import type { GitHistory } from '../history/git-history.ts';

export interface Feed {
  readonly history: GitHistory;
  readonly producer: Producer;
  /** Records a second. */
  readonly rate: number;
  /** So many records go out before `released` resolves. */
  readonly holdAfter: number;
  readonly released: Promise<void>;
  /** Called with the number of records that Redis has acknowledged, all together. */
  onProgress(acknowledged: number): void;
  readonly signal: AbortSignal;
}

const MAX_BATCH = 500;
const TICK_MS = 5;

/** Resolves when every change was acknowledged. Each call of `sendBatch` waits for the one before: that is the order. */
export async function feedChanges(feed: Feed): Promise<void> {
  const startedMs = performance.now();
  let sent = 0;
  let acknowledged = 0;
  for await (const piece of feed.history.changes()) {
    for (let next = 0; next < piece.length;) {
      feed.signal.throwIfAborted();
      const due = Math.floor(((performance.now() - startedMs) / 1000) * feed.rate) - sent;
      const held = sent < feed.holdAfter ? feed.holdAfter - sent : Number.POSITIVE_INFINITY;
      if (sent === feed.holdAfter) await feed.released;
      const count = Math.min(due, held, MAX_BATCH, piece.length - next);
      if (count <= 0) {
        await delay(TICK_MS);
        continue;
      }
      const batches = await feed.producer.sendBatch(CHANGES, piece.slice(next, next + count).map(toRecord));
      for (const batch of batches) acknowledged += batch.count;
      next += count;
      sent += count;
      feed.onProgress(acknowledged);
    }
  }
}

function toRecord({ path, kind, mode, blob, commit }: Change) {
  return { key: pathBytes(path), value: { kind, mode, blob, commit } };
}
