import type { Clock } from '@millrace/core';

/** Resolves after `delayMs`, or as soon as `signal` aborts. Never rejects: the caller looks at what has changed. */
export function delay(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    const finish = (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const timer = clock.startTimer(delayMs, finish);
    signal?.addEventListener('abort', finish);
  });
}
