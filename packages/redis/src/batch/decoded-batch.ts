/**
 * A verified batch. Nothing of it exists as an object until somebody asks: a record is a place in these bytes, and its
 * key, value and headers are views that are made at every access. `decodeBatch` and `openBatch` make sure that the
 * whole structure is sound, so nothing is checked here again.
 */
import { unzigzag, VarintReader } from './varint.ts';

export type RecordHeaders = Readonly<Record<string, Buffer>>;

/** Shared by all records without headers. No prototype: `headers.constructor` is a header or nothing. */
const NO_HEADERS: RecordHeaders = Object.freeze(Object.create(null) as Record<string, Buffer>);

/**
 * Records are addressed by their place: `firstPlace`, then `placeAfter` each, `recordCount` of them. A place is one small
 * integer; reading the few lengths in front of a field again costs less than keeping where each field of each record lies.
 */
export class DecodedBatch {
  readonly recordCount: number;
  /** Offset of the first record. */
  readonly baseOffset: number;
  readonly firstPlace: number;
  readonly #bytes: Buffer;
  readonly #baseTimestampMs: number;
  readonly #reader: VarintReader;

  /** `bytes` hold the records from `firstPlace` to their end, uncompressed. */
  constructor(
    bytes: Buffer,
    firstPlace: number,
    recordCount: number,
    baseOffset: number,
    baseTimestampMs: number,
  ) {
    this.#bytes = bytes;
    this.firstPlace = firstPlace;
    this.recordCount = recordCount;
    this.baseOffset = baseOffset;
    this.#baseTimestampMs = baseTimestampMs;
    this.#reader = new VarintReader(bytes, firstPlace, bytes.length);
  }

  /** What it takes in memory, uncompressed. */
  get byteLength(): number {
    return this.#bytes.length;
  }

  placeAfter(place: number): number {
    const reader = this.#reader;
    reader.position = place;
    const length = reader.next();
    return reader.position + length;
  }

  /** As the producer gave it, milliseconds since 1970. */
  timestampMs(place: number): number {
    const reader = this.#reader;
    reader.position = place;
    reader.next();
    return this.#baseTimestampMs + unzigzag(reader.next());
  }

  key(place: number): Buffer | null {
    const length = this.#seekKey(place);
    if (length < 0) return null;
    const start = this.#reader.position;
    return this.#bytes.subarray(start, start + length);
  }

  value(place: number): Buffer | null {
    const length = this.#seekValue(place);
    if (length < 0) return null;
    const start = this.#reader.position;
    return this.#bytes.subarray(start, start + length);
  }

  /** The value as UTF-8 text, without a view of its bytes in between. */
  text(place: number): string | null {
    const length = this.#seekValue(place);
    if (length < 0) return null;
    const start = this.#reader.position;
    return this.#bytes.toString('utf8', start, start + length);
  }

  headers(place: number): RecordHeaders {
    const valueBytes = this.#seekValue(place);
    const reader = this.#reader;
    if (valueBytes > 0) reader.position += valueBytes;
    const count = reader.next();
    if (count === 0) return NO_HEADERS;
    const headers = Object.create(null) as Record<string, Buffer>;
    for (let index = 0; index < count; index++) {
      const nameEnd = reader.next() + reader.position;
      const name = this.#bytes.toString('utf8', reader.position, nameEnd);
      reader.position = nameEnd;
      const valueEnd = reader.next() + reader.position;
      headers[name] = this.#bytes.subarray(reader.position, valueEnd);
      reader.position = valueEnd;
    }
    return headers;
  }

  /** Leaves the reader at the key's first byte; answers its length, or -1 where there is none. */
  #seekKey(place: number): number {
    const reader = this.#reader;
    reader.position = place;
    reader.next();
    reader.next();
    return reader.next() - 1;
  }

  /** As `#seekKey`, for the value. */
  #seekValue(place: number): number {
    const keyBytes = this.#seekKey(place);
    if (keyBytes > 0) this.#reader.position += keyBytes;
    return this.#reader.next() - 1;
  }
}
