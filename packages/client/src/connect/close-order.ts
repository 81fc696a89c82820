/** Takes a client down stage by stage, whatever fails on the way. */
import type { CloseStage } from './client-context.ts';

const STAGES: readonly CloseStage[] = ['consumer', 'producer'];

export class CloseOrder {
  readonly #closers: Record<CloseStage, Set<() => Promise<void>>> = {
    consumer: new Set(),
    producer: new Set(),
  };

  /** Returns a function that takes `close` off again. */
  add(stage: CloseStage, close: () => Promise<void>): () => void {
    // A wrapper of its own, so that one function may be added twice.
    const entry = (): Promise<void> => close();
    this.#closers[stage].add(entry);
    return () => void this.#closers[stage].delete(entry);
  }

  /** Waits for everything that was added; then throws the first failure, if there was one. */
  async closeAll(): Promise<void> {
    const failures: unknown[] = [];
    for (const stage of STAGES) {
      const results = await Promise.allSettled([...this.#closers[stage]].map((close) => close()));
      for (const result of results) if (result.status === 'rejected') failures.push(result.reason);
    }
    if (failures.length > 0) throw failures[0];
  }
}
