/**
 * The invariants of the protocol, each checked where it could break: at the operation in the server, at the call of a
 * handler. It looks at what is stored before and after and at what handlers saw, and never asks the model why.
 */
import type {
  AcquireRequest,
  AcquireResult,
  ClaimRequest,
  ClaimResult,
  CommitResult,
  EvictionReason,
  Fence,
  GroupSnapshot,
  LeaderView,
  PartitionKey,
  SeekResult,
} from '@millrace/core';
import type { StoredOwnership } from '../../packages/redis/test/group/model/partition-model.ts';
import type { OwnershipWatch } from './ownership-watch.ts';
import type { PartitionSlot } from './partition-slot.ts';
import type { Simulation } from './simulation.ts';

/** Who remembers what it was given, and must tell its user when that is gone. */
export interface LogReaderCheck {
  rolledBack(key: PartitionKey, before: PartitionSlot, after: PartitionSlot): void;
  recreated(key: PartitionKey): void;
}

export class Oracle {
  /** Of every consumer that lives. */
  readonly readers = new Set<LogReaderCheck>();
  readonly #simulation: Simulation;
  readonly #ownership: OwnershipWatch;
  /** Claims that a leader has taken away from somebody who did not let go: `hand-over-forced`. */
  readonly #forced = new Set<string>();
  /** Group → values whose handler has returned; their number is the number of different records. */
  readonly #done = new Map<string, Set<string>>();
  /** Group → values that a seek went past, by the user's wish. */
  readonly #skipped = new Map<string, Set<string>>();
  /** Value that was trimmed → the groups that had to have it: who first owns the partition later begins behind it. */
  readonly #trimmed = new Map<string, ReadonlySet<string>>();
  /** (group, partition, incarnation) → epoch → nonce, of everything that was ever handed out. */
  readonly #epochs = new Map<string, Map<number, string>>();
  /** Where an ownership began: what its first delivery must be. */
  readonly #begins = new Map<string, number>();
  readonly #evictedMembers = new Set<string>();
  /** Epochs are at least the server's time, so that one is not given out twice; a clock set back gives that up. */
  isServerClockTrusted = true;
  /** What failovers have taken. */
  readonly lostValues = new Set<string>();
  appendedRecords = 0;
  lostRecords = 0;
  trimmedRecords = 0;
  commits = 0;

  /** How often a server has failed over. */
  failovers = 0;

  constructor(simulation: Simulation, ownership: OwnershipWatch) {
    this.#simulation = simulation;
    this.#ownership = ownership;
  }

  /** Evictions are forgotten with everything else. */
  failedOver(): void {
    this.failovers++;
    this.#evictedMembers.clear();
  }

  // --- the group's slot --------------------------------------------------------------------------------------------

  claimed(group: string, request: ClaimRequest, before: GroupSnapshot, result: ClaimResult): void {
    if (result.status !== 'CLAIMED') return;
    for (const key of result.granted) {
      const holder = before.owners.get(key);
      if (holder === undefined) {
        this.#isReleased(group, key, request.memberId, before);
        continue;
      }
      if (holder.memberId !== request.memberId && before.members.has(holder.memberId))
        this.#fail('I1', `${key} of ${group} was given to ${request.memberId} under ${holder.memberId}`);
      if (result.claim <= holder.claim) this.#fail('I1', `the claim of ${key} of ${group} did not rise`);
    }
  }

  /** `by` is the life of the process that asked for it. */
  unclaimed(group: string, keys: Iterable<PartitionKey>, by: string): void {
    for (const key of keys)
      for (const owner of this.#ownership.believers(group, key).keys())
        if (owner !== by) this.#forced.add(`${key} of ${group} ${owner}`);
  }

  /** What a leader wrote with the epoch that it was elected with. */
  led(group: string, what: string, leaderEpoch: number, before: LeaderView): void {
    if (leaderEpoch !== before.epoch)
      this.#fail(
        'leader',
        `a leader of epoch ${leaderEpoch} could ${what} ${group}, led by epoch ${before.epoch}`,
      );
  }

  /** Release comes before grant: whoever has worked on it and is still in the group has said that it is over. */
  #isReleased(group: string, key: PartitionKey, memberId: string, before: GroupSnapshot): void {
    for (const [owner, believer] of this.#ownership.believers(group, key)) {
      const isMember = believer.memberId !== memberId && before.members.has(believer.memberId);
      const isForced = this.#forced.has(`${key} of ${group} ${owner}`);
      if (isMember && !isForced && believer.failovers === this.failovers)
        this.#fail('I1', `${key} of ${group} was granted to ${memberId} while ${owner} works on it`);
    }
  }

  evicted(group: string, memberId: string, isDynamic: boolean, reason: EvictionReason): void {
    this.#simulation.note(`evicted ${memberId} of ${group}: ${reason}`);
    // A member whose connection is gone may not know; one whose lease has run out must. A static one comes back as itself.
    if (reason === 'lease' && isDynamic) this.#evictedMembers.add(memberId);
  }

  // --- the partition's slot ----------------------------------------------------------------------------------------

  appended(key: PartitionKey, slot: PartitionSlot, baseOffset: number, values: readonly string[]): void {
    this.appendedRecords += values.length;
    for (const value of values)
      if (slot.values.indexOf(value) < baseOffset) this.#fail('duplicate', `${value} is in ${key} twice`);
    if (slot.values.length !== slot.log.end || baseOffset + values.length !== slot.log.end)
      this.#fail('log', `${key} ends at ${slot.log.end} with ${slot.values.length} records`);
  }

  /** Only what every group of the partition has finished, or was sent past by its user. */
  trimmed(key: PartitionKey, slot: PartitionSlot, from: number, groups: readonly string[]): void {
    const to = slot.log.start;
    if (to === from) return;
    this.trimmedRecords += to - from;
    this.#simulation.note(`${key} was trimmed from ${from} to ${to}`);
    for (const value of slot.values.slice(from, to)) this.#trimmed.set(value, new Set(groups));
    for (const group of groups) {
      const value = slot.values
        .slice(from, to)
        .find((trimmed) => !this.isDone(group, trimmed) && !this.isSkipped(group, trimmed));
      if (value !== undefined)
        this.#fail('I6', `${value} of ${key} was trimmed, and ${group} has not finished it`);
    }
  }

  acquired(
    key: PartitionKey,
    slot: PartitionSlot,
    request: AcquireRequest,
    before: StoredOwnership | null,
    after: StoredOwnership | null,
    result: AcquireResult,
  ): void {
    if (result.status !== 'ACQUIRED' || after === null) return;
    const { group, memberId, nonce } = request;
    this.#simulation.note(
      `${memberId} acquired ${key} of ${group} with epoch ${result.epoch} at ${result.committed} of ${result.logEnd}`,
    );
    const what = `${key} of ${group}`;
    if (before !== null && before.nonce !== nonce && after.epoch <= before.epoch)
      this.#fail('I3', `${what} went from epoch ${before.epoch} to ${after.epoch}`);
    const handedOut = this.#handedOut(group, key, slot.incarnation);
    const twin = handedOut.get(result.epoch);
    if (twin !== undefined && twin !== nonce && this.isServerClockTrusted)
      this.#fail('I3', `${what}: epoch ${result.epoch} was handed out a second time`);
    handedOut.set(result.epoch, nonce);
    if (twin !== nonce) this.#begins.set(`${what} ${result.epoch}`, result.committed);
    this.#stays(what, slot, before, after, result.reset !== null);
  }

  committed(
    key: PartitionKey,
    slot: PartitionSlot,
    fence: Fence,
    server: string,
    before: StoredOwnership | null,
    after: StoredOwnership | null,
    result: CommitResult,
  ): void {
    const what = `${key} of ${fence.group}`;
    this.#stays(what, slot, before, after, false);
    if (result.status !== 'COMMITTED' || after === null) return;
    this.#fenced(what, fence, server, before, 'commit');
    this.commits++;
    const from = before?.committed ?? 0;
    this.#simulation.note(`commit of ${what} by epoch ${fence.epoch}: ${from} to ${after.committed}`);
    const done = this.#done.get(fence.group);
    for (let offset = from; offset < after.committed; offset++) {
      const value = slot.values[offset] ?? '';
      if (done?.has(value) !== true && !this.isSkipped(fence.group, value))
        this.#fail(
          'I4',
          `the commit of ${what} passed record ${offset} (${value}), which no handler finished`,
        );
    }
  }

  sought(
    key: PartitionKey,
    slot: PartitionSlot,
    fence: Fence,
    server: string,
    before: StoredOwnership | null,
    after: StoredOwnership | null,
    result: SeekResult,
  ): void {
    const what = `${key} of ${fence.group}`;
    this.#stays(what, slot, before, after, result.status === 'SOUGHT');
    if (result.status !== 'SOUGHT') return;
    if (result.from === null) {
      // Executed before, and told again.
      if (
        before?.epoch !== fence.epoch ||
        before.nonce !== after?.nonce ||
        before.committed !== after.committed
      )
        this.#fail('I2', `a seek of ${what} by epoch ${fence.epoch} was repeated and changed something`);
      return;
    }
    if (after?.nonce === before?.nonce)
      this.#fail('I2', `what epoch ${fence.epoch} of ${what} sent before its seek is still accepted`);
    this.#fenced(what, fence, server, before, 'seek');
    const skipped = this.#skipped.get(fence.group) ?? new Set();
    for (const value of slot.values.slice(result.from, result.committed)) skipped.add(value);
    this.#skipped.set(fence.group, skipped);
  }

  rolledBack(key: PartitionKey, before: PartitionSlot, after: PartitionSlot): void {
    const lost = before.log.end - after.log.end;
    this.lostRecords += lost;
    if (lost === 0) return;
    for (const value of before.values.slice(after.log.end)) this.lostValues.add(value);
    this.#simulation.note(`${key} lost its records from ${after.log.end} on: ${lost}`);
    for (const reader of this.readers) reader.rolledBack(key, before, after);
  }

  #fenced(
    what: string,
    fence: Fence,
    server: string,
    before: StoredOwnership | null,
    operation: string,
  ): void {
    if (before?.epoch !== fence.epoch || before.nonce !== fence.nonce)
      this.#fail(
        'I2',
        `a ${operation} of ${what} by epoch ${fence.epoch} was accepted, the owner is ${before?.epoch ?? 0}`,
      );
    if (fence.server !== server)
      this.#fail('I2', `${server} accepted a ${operation} of ${what} by an owner of ${fence.server}`);
  }

  #stays(
    what: string,
    slot: PartitionSlot,
    before: StoredOwnership | null,
    after: StoredOwnership | null,
    mayGoBack: boolean,
  ): void {
    if (after === null) return;
    if (before !== null && after.committed < before.committed && !mayGoBack)
      this.#fail(
        'I4',
        `the committed offset of ${what} went back from ${before.committed} to ${after.committed}`,
      );
    if (after.committed > slot.log.end)
      this.#fail('I4', `${what} has committed ${after.committed} of a log that ends at ${slot.log.end}`);
    if (before !== null && after.epoch < before.epoch)
      this.#fail('I3', `the epoch of ${what} went back from ${before.epoch} to ${after.epoch}`);
  }

  // --- handlers ----------------------------------------------------------------------------------------------------

  /** Where the ownership with this epoch began; undefined for one that was never handed out. */
  beginOf(group: string, key: PartitionKey, epoch: number): number | undefined {
    return this.#begins.get(`${key} of ${group} ${epoch}`);
  }

  /** No handler may start under a lease that its member had to know is over. */
  started(group: string, key: PartitionKey, memberId: string): void {
    if (this.#evictedMembers.has(memberId))
      this.#fail(
        'zombie-start',
        `a handler of ${key} of ${group} started after its member's lease had run out`,
      );
  }

  finished(group: string, value: string): void {
    let done = this.#done.get(group);
    if (done === undefined) {
      done = new Set();
      this.#done.set(group, done);
    }
    done.add(value);
  }

  isDone(group: string, value: string): boolean {
    return this.#done.get(group)?.has(value) === true;
  }

  isSkipped(group: string, value: string): boolean {
    const isTrimmed = this.#trimmed.get(value)?.has(group) === false;
    return isTrimmed || this.#skipped.get(group)?.has(value) === true;
  }

  #handedOut(group: string, key: PartitionKey, incarnation: string): Map<number, string> {
    const name = `${group} ${key} ${incarnation}`;
    let epochs = this.#epochs.get(name);
    if (epochs === undefined) {
      epochs = new Map();
      this.#epochs.set(name, epochs);
    }
    return epochs;
  }

  #fail(invariant: string, what: string): void {
    this.#simulation.fail(invariant, what);
  }
}
