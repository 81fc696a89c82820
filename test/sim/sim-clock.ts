/** The clock of one thread: its own rate, its own idea of the date. */
import type { Clock, Timer } from '@millrace/core';
import { TIMER, type Domain, type Simulation } from './simulation.ts';

/** Of a process: its threads share it. */
export interface ClockSettings {
  /** Milliseconds of this clock in one of the world's. */
  readonly rate: number;
  /** What the monotonic clock showed when the world began. */
  readonly originMs: number;
  /** Wall clock against the world's. */
  skewMs: number;
}

export const WORLD_EPOCH_MS = 1_700_000_000_000;

export class SimClock implements Clock {
  readonly #simulation: Simulation;
  readonly #domain: Domain;
  readonly #settings: ClockSettings;
  readonly #what: string;

  /** `what` tells its timers from others in a trace. */
  constructor(simulation: Simulation, domain: Domain, settings: ClockSettings, what = TIMER) {
    this.#simulation = simulation;
    this.#domain = domain;
    this.#settings = settings;
    this.#what = what;
  }

  nowMs(): number {
    return WORLD_EPOCH_MS + this.#simulation.nowMs + this.#settings.skewMs;
  }

  monotonicMs(): number {
    return this.#settings.originMs + this.#simulation.nowMs * this.#settings.rate;
  }

  startTimer(delayMs: number, run: () => void): Timer {
    return this.#simulation.schedule(delayMs / this.#settings.rate, this.#domain, this.#what, run);
  }

  nextTurn(): Promise<void> {
    return new Promise((resolve) => {
      this.#simulation.schedule(0, this.#domain, 'turn', resolve);
    });
  }
}
