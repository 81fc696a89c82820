/** The bounds of the fault matrix, by the times of the load, and what most rows have in common. */
import type { AckClass } from '@millrace/testkit';
import type { Losses, TopologyName } from '../fault.ts';
import { LEASE_MS } from '../load.ts';

/** Between two renewals of a lease. */
const RENEW_MS = LEASE_MS / 3;

/** Processes share two cores with servers and with each other: nothing is held to less than this. */
export const MACHINE_MS = 2_000;

/** A member that is dead is found, and its partitions are delivered by others. */
export const DETECTION_MS = LEASE_MS + 2 * RENEW_MS + MACHINE_MS;

/** A new leader is found, and then the members that went with the old one. */
export const LEADER_MS = LEASE_MS + DETECTION_MS;

/** A reader or a command that waits on a dead connection gives it up after 10 s without an answer. */
export const READER_MS = 10_000 + MACHINE_MS;

const ALL_ACKS: readonly AckClass[] = ['memory', 'replicated', 'fsynced'];

/** Nothing may be lost, and no acknowledgement taken back. */
export const LOSES_NOTHING = (): Losses => ({ mayLose: null, survivedBy: ALL_ACKS });

/** What no replica has, or what the disk does not: gone, if everybody is told. */
export const LOSES_TAIL =
  (...survivedBy: readonly AckClass[]) =>
  (): Losses => ({ mayLose: 'tail', survivedBy });

/** With replicas, one of them may be promoted before the server is back: then as after a failover. */
export const LOSES_BY_FAILOVER = (topology: TopologyName): Losses =>
  topology === 'single' ? LOSES_NOTHING() : LOSES_TAIL('replicated')();
