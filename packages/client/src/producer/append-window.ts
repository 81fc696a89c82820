/**
 * How many appends are in flight on one connection. A server that works off one command after the other gains nothing
 * from a longer queue; the records that wait here instead go on collecting, and what goes out is fewer and larger
 * batches. So it is load that makes batches, not a timer, with 1,024 partitions as with one.
 *
 * The limit finds itself, as TCP Vegas does it (Brakmo and Peterson 1995): of the time that an append takes, what exceeds
 * the shortest time seen lately was spent in a queue. Few in the queue: one more, once per round trip. Many: one less. A
 * distant server therefore gets as many at a time as the distance takes. A fixed limit was rejected: 8 would be 800 appends
 * a second where a round trip takes 10 ms, a second and more for a thousand partitions with a record each.
 */

export interface WindowUser {
  /** What it would send cannot grow while it waits. May change meanwhile. */
  readonly isFull: boolean;
  /** Its turn: what it sends now has room. It may have nothing to send any more. */
  admitted(): void;
}

/** One append in flight. */
export interface InFlight {
  readonly bytes: number;
  readonly sentMs: number;
}

interface Waiter {
  readonly sinceMs: number;
  readonly user: WindowUser;
}

/** Enough to keep the server at work while the next batch is encoded. */
const LEAST_APPENDS = 4;
const MOST_APPENDS = 1_024;
/**
 * Appends that are large already are let in beyond the limit, up to as many bytes: four of 40 KiB are done within a
 * millisecond, and the server then has nothing to do while a call of 10,000 records is taken in here. Small ones would
 * rather grow while they wait.
 */
const LEAST_BYTES = 524_288;
/**
 * The same for a batch that is full, and gains nothing by waiting. While a call of 10,000 records of 200 bytes is taken in, for
 * 6 ms, the server works off 2 MB; with 512 KiB in flight it had nothing to do for 3 ms of them, and a bulk load was a seventh
 * slower. Not for others: a load would end in more and smaller batches, which take more memory in Redis.
 */
const LEAST_FULL_BYTES = 2_097_152;
const LARGE_BYTES = 16_384;
/** Appends of the largest size would otherwise fill the socket's buffers with megabytes that nothing can overtake. */
const MAX_BYTES = 4_194_304;
/** Between these many in the server's queue the limit stays as it is. */
const FEW_QUEUED = 2;
const MANY_QUEUED = 4;
/** The shortest time is that of one to two such spans, so that a way that has become longer is known as such some day. */
const LOOK_BACK_MS = 10_000;

export class AppendWindow {
  #limit = 2 * LEAST_APPENDS;
  #appends = 0;
  #bytes = 0;
  /** A heap: the smallest `sinceMs` first. */
  readonly #waiting: Waiter[] = [];
  #isAdmitting = false;
  #shortestMs = Infinity;
  #shortestBeforeMs = Infinity;
  #lookBackEndsMs = -Infinity;
  /**
   * Since when the least is let in, once per span until one of these is answered. A queue of our own that never
   * empties would otherwise count as a part of the way sooner or later, and grow with each span.
   */
  #probingSinceMs = Infinity;

  /** False while others wait, too. */
  hasRoomFor(user: WindowUser): boolean {
    return this.#isOpenFor(user) && this.#waiting.length === 0;
  }

  /** Appends at a time, as of now. */
  get limit(): number {
    return Math.floor(this.#limit);
  }

  /** An append goes out, whether there is room or not: one that is tried again waits for nobody. */
  enter(bytes: number, nowMs: number): InFlight {
    this.#appends++;
    this.#bytes += bytes;
    return { bytes, sentMs: nowMs };
  }

  /** It was answered. */
  answered(append: InFlight, nowMs: number): void {
    this.#adapt(append, nowMs);
    this.leave(append);
  }

  /** It is not waited for any more: the connection broke, or its time is over. */
  leave({ bytes }: InFlight): void {
    this.#appends--;
    this.#bytes -= bytes;
    this.#admit();
  }

  /** One of those who wait is full by now. Cheap enough for each record that it is given. */
  reconsider(): void {
    this.#admit();
  }

  /** Calls `admitted` when there is room, once. Whose records are oldest (`sinceMs`) comes first. */
  wait(sinceMs: number, user: WindowUser): void {
    const heap = this.#waiting;
    let place = heap.push({ sinceMs, user }) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (this.#sinceMs(above) <= sinceMs) break;
      this.#swap(place, above);
      place = above;
    }
  }

  #isOpenFor({ isFull }: WindowUser): boolean {
    const isProbing = this.#probingSinceMs < Infinity;
    const limit = isProbing ? LEAST_APPENDS : Math.floor(this.#limit);
    if (this.#appends < limit) return this.#bytes < MAX_BYTES;
    const areLarge = this.#bytes >= this.#appends * LARGE_BYTES;
    return areLarge && !isProbing && this.#bytes < (isFull ? LEAST_FULL_BYTES : LEAST_BYTES);
  }

  #admit(): void {
    // Whoever is admitted may fail at once, and leave while the others are being admitted.
    if (this.#isAdmitting) return;
    this.#isAdmitting = true;
    try {
      for (
        let first = this.#waiting[0];
        first !== undefined && this.#isOpenFor(first.user);
        first = this.#waiting[0]
      )
        this.#takeFirst()?.admitted();
    } finally {
      this.#isAdmitting = false;
    }
  }

  #adapt({ sentMs }: InFlight, nowMs: number): void {
    const tookMs = Math.max(nowMs - sentMs, Number.EPSILON);
    if (nowMs >= this.#lookBackEndsMs) {
      this.#shortestBeforeMs = this.#shortestMs;
      this.#shortestMs = Infinity;
      this.#lookBackEndsMs = nowMs + LOOK_BACK_MS;
      this.#probingSinceMs = nowMs;
    } else if (sentMs >= this.#probingSinceMs) {
      this.#probingSinceMs = Infinity;
    }
    this.#shortestMs = Math.min(this.#shortestMs, tookMs);
    const shortestMs = Math.min(this.#shortestMs, this.#shortestBeforeMs);
    const queued = this.#appends * (1 - shortestMs / tookMs);
    const step = 1 / this.#limit;
    // Where nobody waits the limit limits nothing, and says nothing about a higher one.
    if (queued < FEW_QUEUED && this.#waiting.length > 0)
      this.#limit = Math.min(this.#limit + step, MOST_APPENDS);
    else if (queued > MANY_QUEUED) this.#limit = Math.max(this.#limit - step, LEAST_APPENDS);
  }

  #takeFirst(): WindowUser | undefined {
    const heap = this.#waiting;
    this.#swap(0, heap.length - 1);
    const first = heap.pop();
    for (let place = 0; ;) {
      const left = 2 * place + 1;
      const least = this.#sinceMs(left + 1) < this.#sinceMs(left) ? left + 1 : left;
      if (this.#sinceMs(least) >= this.#sinceMs(place)) break;
      this.#swap(place, least);
      place = least;
    }
    return first?.user;
  }

  #sinceMs(place: number): number {
    return this.#waiting[place]?.sinceMs ?? Infinity;
  }

  #swap(one: number, other: number): void {
    const heap = this.#waiting;
    const [first, second] = [heap[one], heap[other]];
    if (first === undefined || second === undefined) return;
    heap[one] = second;
    heap[other] = first;
  }
}
