/**
 * LEB128 varints for lengths, counts and timestamp deltas. Values reach 2^49 (a zigzag-coded 48-bit delta), so what
 * is beyond 32 bits is done in double arithmetic; the common one- and two-byte cases never get there.
 */

const MAX_SAFE = Number.MAX_SAFE_INTEGER;

/** Bytes that `value`, a safe integer of 0 or more, takes. */
export function varintBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  let bytes = 2;
  for (let rest = Math.floor(value / 0x4000); rest > 0; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}

/** Writes `value` at `position` and returns the position behind it. */
export function writeVarint(target: Uint8Array, position: number, value: number): number {
  let rest = value;
  while (rest >= 0x80) {
    target[position++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  target[position++] = rest;
  return position;
}

/** Maps 0, -1, 1, -2, … to 0, 1, 2, 3, … so that small negative numbers stay short. */
export function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

export function unzigzag(value: number): number {
  // Within 31 bits, where nearly all deltas are, without a division.
  if (value <= 0x7fffffff) return (value >>> 1) ^ -(value & 1);
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

/** Reads varints one after the other, never beyond `end`. */
export class VarintReader {
  readonly bytes: Uint8Array;
  position: number;
  readonly end: number;

  constructor(bytes: Uint8Array, position: number, end: number) {
    this.bytes = bytes;
    this.position = position;
    this.end = end;
  }

  /** -1 where the bytes end inside the varint, or it is no safe integer, or it is longer than it needs to be. */
  next(): number {
    const at = this.position;
    if (at >= this.end) return -1;
    const first = this.bytes[at] ?? 0;
    if (first < 0x80) {
      this.position = at + 1;
      return first;
    }
    // Two bytes, the length of most records, are taken here: without the loop a batch is walked in half the time.
    if (at + 1 < this.end) {
      const second = this.bytes[at + 1] ?? 0;
      if (second < 0x80) {
        this.position = at + 2;
        return second === 0 ? -1 : (first & 0x7f) | (second << 7);
      }
    }
    this.position = at + 1;
    return this.#rest(first);
  }

  #rest(first: number): number {
    let value = first & 0x7f;
    let scale = 0x80;
    while (this.position < this.end) {
      const byte = this.bytes[this.position++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (value > MAX_SAFE) return -1;
      if (byte < 0x80) return byte === 0 ? -1 : value;
      scale *= 0x80;
      if (scale > MAX_SAFE) return -1;
    }
    return -1;
  }
}
