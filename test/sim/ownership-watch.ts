/** I8: for how long partitions are without an owner that lives, and nothing goes wrong that would excuse it. */
import type { PartitionKey } from '@millrace/core';
import type { Simulation } from './simulation.ts';

export interface Believer {
  readonly epoch: number;
  readonly memberId: string;
  /** How often servers had failed over when it began. */
  readonly failovers: number;
}

interface Watched {
  /** Lives that believe in an ownership: a former owner may be one of them for a while. */
  readonly owners: Map<string, Believer>;
  /** Since when there is none. */
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
      this.#watched.set(name, { owners: new Map(), sinceMs: this.#simulation.nowMs });
  }

  forget(group: string, key: PartitionKey): void {
    this.#watched.delete(`${key} of ${group}`);
  }

  /** Who believes to own it. */
  believers(group: string, key: PartitionKey): ReadonlyMap<string, Believer> {
    return this.#watched.get(`${key} of ${group}`)?.owners ?? new Map<string, Believer>();
  }

  own(group: string, key: PartitionKey, owner: string, believer: Believer): void {
    const watched = this.#watched.get(`${key} of ${group}`);
    if (watched === undefined) return;
    if (watched.owners.size === 0) this.#note(watched);
    watched.owners.set(owner, believer);
  }

  giveUp(group: string, key: PartitionKey, owner: string, epoch: number): void {
    const watched = this.#watched.get(`${key} of ${group}`);
    if (watched?.owners.get(owner)?.epoch === epoch) this.#remove(watched, owner);
  }

  died(owner: string): void {
    for (const watched of this.#watched.values()) this.#remove(watched, owner);
  }

  unowned(): string[] {
    return [...this.#watched].filter(([, { owners }]) => owners.size === 0).map(([name]) => name);
  }

  check(): void {
    for (const [name, watched] of this.#watched) {
      if (watched.owners.size > 0) continue;
      const forMs = this.#note(watched);
      if (forMs > DETECTION_BOUND_MS)
        this.#simulation.fail('I8', `nobody has owned ${name} for ${Math.round(forMs)} ms of calm`);
    }
  }

  #remove(watched: Watched, owner: string): void {
    if (watched.owners.delete(owner) && watched.owners.size === 0) watched.sinceMs = this.#simulation.nowMs;
  }

  #note({ sinceMs }: Watched): number {
    const forMs = this.#simulation.nowMs - Math.max(sinceMs, this.#disturbedMs);
    this.longestMs = Math.max(this.longestMs, forMs);
    return forMs;
  }
}
