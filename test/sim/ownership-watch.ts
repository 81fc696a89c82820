/** I8: for how long partitions are without an owner that lives, and nothing goes wrong that would excuse it. */
import type { PartitionKey } from '@millrace/core';
import type { Simulation } from './simulation.ts';

interface Watched {
  /** Name of the process's life; null while nobody owns it. */
  owner: string | null;
  epoch: number;
  sinceMs: number;
}

/**
 * The longest way back: the leader and all its deputies died, so the leader lock has to expire (10 s) before anybody
 * tries for it (7.5 to 10 s between two attempts); then the dead are found by their leases, and the claim of one that
 * hangs is taken away after `drainTimeoutMs` + `leaseMs`, which an audit every 2 s looks for.
 */
const DETECTION_BOUND_MS = 30_000;

export class OwnershipWatch {
  readonly #simulation: Simulation;
  readonly #watched = new Map<string, Watched>();
  #disturbedMs = 0;
  longestMs = 0;

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
  }

  /** A fault begins or ends, a process starts or stops. */
  disturbed(): void {
    this.#disturbedMs = this.#simulation.nowMs;
  }

  expect(group: string, key: PartitionKey): void {
    const name = `${key} of ${group}`;
    if (!this.#watched.has(name))
      this.#watched.set(name, { owner: null, epoch: 0, sinceMs: this.#simulation.nowMs });
  }

  forget(group: string, key: PartitionKey): void {
    this.#watched.delete(`${key} of ${group}`);
  }

  own(group: string, key: PartitionKey, owner: string, epoch: number): void {
    const watched = this.#watched.get(`${key} of ${group}`);
    // The events of a former owner may come after those of its heir.
    if (watched === undefined || epoch < watched.epoch) return;
    if (watched.owner === null) this.#note(watched);
    watched.owner = owner;
    watched.epoch = epoch;
  }

  giveUp(group: string, key: PartitionKey, owner: string, epoch: number): void {
    const watched = this.#watched.get(`${key} of ${group}`);
    if (watched?.owner !== owner || watched.epoch !== epoch) return;
    watched.owner = null;
    watched.sinceMs = this.#simulation.nowMs;
  }

  died(owner: string): void {
    for (const watched of this.#watched.values()) {
      if (watched.owner !== owner) continue;
      watched.owner = null;
      watched.sinceMs = this.#simulation.nowMs;
    }
  }

  unowned(): string[] {
    return [...this.#watched].filter(([, { owner }]) => owner === null).map(([name]) => name);
  }

  check(): void {
    for (const [name, watched] of this.#watched) {
      if (watched.owner !== null) continue;
      const forMs = this.#note(watched);
      if (forMs > DETECTION_BOUND_MS)
        this.#simulation.fail('I8', `nobody has owned ${name} for ${Math.round(forMs)} ms of calm`);
    }
  }

  #note({ sinceMs }: Watched): number {
    const forMs = this.#simulation.nowMs - Math.max(sinceMs, this.#disturbedMs);
    this.longestMs = Math.max(this.longestMs, forMs);
    return forMs;
  }
}
