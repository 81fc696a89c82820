/**
 * Waits for a condition instead of for a time. This is the only polling that tests may do: a sleep is either too short
 * on a busy machine or too long on every other.
 */
import { setTimeout as delay } from 'node:timers/promises';

export interface EventuallyOptions {
  /** When to give up. Default 10,000. */
  readonly timeoutMs?: number;
  /** Pause between two checks. Default 10. */
  readonly intervalMs?: number;
  /** What is waited for, for the error message. */
  readonly what?: string;
}

type Falsy = false | null | undefined | 0 | 0n | '';

/** Makes `list.find(…)` a compile error: "not found yet" would look like an assertion that passed and ended the wait. */
type Options<T> = undefined extends T
  ? [T] extends [void]
    ? [options?: EventuallyOptions]
    : [error: 'this check may give undefined, which counts as passed: add `?? null`']
  : [options?: EventuallyOptions];

/**
 * Calls `check` until it gives something truthy, or, being made of assertions, returns nothing without throwing. Resolves
 * with what it gave; rejects after `timeoutMs` with the last failure as `cause`. One check is never cut short: a check
 * that hangs hangs the test.
 */
export async function eventually<T>(
  check: () => T | Promise<T>,
  ...[given]: Options<T>
): Promise<Exclude<T, Exclude<Falsy, undefined>>> {
  const options: EventuallyOptions = typeof given === 'object' ? given : {};
  const { timeoutMs = 10_000, intervalMs = 10, what = 'the condition' } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let failure: unknown;
    try {
      const value = await check();
      if (value === undefined || Boolean(value)) return value as Exclude<T, Exclude<Falsy, undefined>>;
      failure = new Error(`the check gave ${String(value)}`);
    } catch (error) {
      failure = error;
    }
    if (performance.now() >= deadline) {
      const last = failure instanceof Error ? failure.message : String(failure);
      throw new Error(`${what} did not come true within ${timeoutMs} ms; last: ${last}`, { cause: failure });
    }
    await delay(intervalMs);
  }
}
