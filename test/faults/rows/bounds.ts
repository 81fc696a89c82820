/** The bounds of the fault matrix, by the times of the load, and what most rows have in common. */
import { ALL_ACKS, type Fault } from '../fault.ts';
import { LEASE_MS } from '../load.ts';

/** Between two renewals of a lease. */
const RENEW_MS = LEASE_MS / 3;

/** Processes share two cores with servers and with each other: nothing is held to less than this. */
export const MACHINE_MS = 2_000;

/** A member that is dead is found, and its partitions are delivered by others. */
export const DETECTION_MS = LEASE_MS + 2 * RENEW_MS + MACHINE_MS;

/** A new leader is found, and then the members that went with the old one. */
export const LEADER_MS = LEASE_MS + DETECTION_MS;

/** A reader that blocks on a dead connection, ms after the connection is whole again. */
export const READER_MS = 10_000 + MACHINE_MS;

/** Nothing may be lost, and no acknowledgement taken back. */
export const LOSES_NOTHING = { mayLose: null, survivedBy: ALL_ACKS } as const satisfies Partial<Fault>;
