/** From a key to the node that serves it, for what goes past the driver's cluster client: reads that wait, and WAIT. */
import { UnavailableError } from '@millrace/core';
import type { NodeAddress } from './connection-config.ts';
import type { ClusterConnection } from './command-connection.ts';

/** A refusal that says: not here, or not now. */
const ELSEWHERE = /^(MOVED|ASK|CLUSTERDOWN|UNBLOCKED|READONLY)\b/;

/** As far as it is known now. Throws `REDIS_REFUSED` (UnavailableError) while nobody serves the slot. */
export function primaryOfSlot(cluster: ClusterConnection, slot: number): NodeAddress {
  const place = cluster.slots[slot]?.[0];
  if (place === undefined) {
    throw new UnavailableError('REDIS_REFUSED', `no node of the cluster serves slot ${slot} at the moment`, {
      details: { slot, execution: 'none' },
    });
  }
  // As the driver writes it: `host:port`, the host perhaps with colons of its own.
  const colon = place.lastIndexOf(':');
  return { host: place.slice(0, colon), port: Number(place.slice(colon + 1)) };
}

/** Whether any slot is served by that node. */
export function isPrimary(cluster: ClusterConnection, { host, port }: NodeAddress): boolean {
  const place = `${host}:${port}`;
  return cluster.slots.some((places) => places[0] === place);
}

/** Has the cluster asked anew who serves what, where a node's answer says that this is out of date. */
export function noteRefusal(cluster: ClusterConnection, error: unknown): void {
  if (error instanceof Error && ELSEWHERE.test(error.message)) cluster.refreshSlotsCache();
}
