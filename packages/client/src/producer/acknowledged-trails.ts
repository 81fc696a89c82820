/** The trails of all partitions that one producer has sent to. */
import { partitionKey, type PartitionKey } from '@millrace/core';
import type { TruncationPolicy } from '../truncation/log-truncated.ts';
import { AcknowledgedTrail, type AcknowledgedTrailPort } from './acknowledged-trail.ts';

export class AcknowledgedTrails {
  readonly #port: AcknowledgedTrailPort;
  readonly #trails = new Map<PartitionKey, AcknowledgedTrail>();
  readonly #closed = new AbortController();

  constructor(port: Omit<AcknowledgedTrailPort, 'policy' | 'closed'>, policy: TruncationPolicy) {
    this.#port = { ...port, policy, closed: this.#closed.signal };
  }

  /** To be asked for once: each append would otherwise make the name of its partition and look it up. */
  of(topic: string, partition: number): AcknowledgedTrail {
    const key = partitionKey(topic, partition);
    let trail = this.#trails.get(key);
    if (trail === undefined) {
      trail = new AcknowledgedTrail(topic, partition, this.#port);
      this.#trails.set(key, trail);
    }
    return trail;
  }

  /** Redis has become another server, for these partitions. */
  suspect(isAffected: (key: PartitionKey) => boolean): void {
    for (const [key, trail] of this.#trails) if (isAffected(key)) trail.suspect();
  }

  /** No further report. */
  close(): void {
    this.#closed.abort();
  }
}
