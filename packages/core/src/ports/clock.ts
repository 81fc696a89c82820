/**
 * Time and randomness come in through these ports, so that the same code runs in a test on virtual time and in the
 * simulation on a seeded event heap.
 */

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall clock, milliseconds since 1970. For people to read; nothing is decided by it. */
  nowMs(): number;
  /** Milliseconds on a clock that never jumps back. Comparable only inside one process. */
  monotonicMs(): number;
  /** Calls `run` once after `delayMs`; never synchronously. */
  startTimer(delayMs: number, run: () => void): Timer;
  /** Resolves in a later turn of the event loop: what came in meanwhile has been dealt with. */
  nextTurn(): Promise<void>;
}

export interface Random {
  /** 0 ≤ x < 1. */
  next(): number;
  /** 128 random bits, URL-safe text: nonces, member ids, producer ids. Two never collide. */
  nonce(): string;
}
