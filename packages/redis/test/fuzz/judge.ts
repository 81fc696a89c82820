/**
 * What may become of any bytes: a DataError that says what the batch is, or the very records that they hold by the
 * layout. Anything else is a defect, and is what `judge` answers.
 */
import { DataError } from '@millrace/core';
import { decodeBatch, type BatchRecord } from '../../src/batch/batch-decoder.ts';
import { readByTheBook, type BookRecord } from './read-by-the-book.ts';

export interface HostileBatch {
  /** What was done to it. */
  readonly attack: string;
  readonly bytes: Buffer;
  /**
   * `error`: nothing but an error will do. `the-book`: decided by the layout. `if-decoded`: as the book says, or an error; for
   * frames that zlib would take and the decoder need not.
   */
  readonly expected: 'error' | 'the-book' | 'if-decoded';
}

export type Outcome = 'decoded' | 'CORRUPT_BATCH' | 'UNSUPPORTED_BATCH_VERSION';

export type Judgement = { readonly outcome: Outcome } | { readonly defect: string };

type Decode = (bytes: Buffer) => readonly BatchRecord[];

export function judge({ bytes, expected }: HostileBatch, decode: Decode = decodeBatch): Judgement {
  const before = Buffer.from(bytes);
  let read: BookRecord[];
  try {
    read = decode(bytes).map(touch);
  } catch (error) {
    if (!before.equals(bytes)) return { defect: 'the bytes were changed' };
    return judgeError(error, bytes, expected);
  }
  if (!before.equals(bytes)) return { defect: 'the bytes were changed' };
  if (expected === 'error') return { defect: `decoded to ${read.length} records` };
  const book = readByTheBook(bytes);
  if (book === null) return { defect: `decoded to ${read.length} records, and the bytes are no batch` };
  const difference = firstDifference(read, book);
  return difference === null ? { outcome: 'decoded' } : { defect: difference };
}

function judgeError(error: unknown, bytes: Buffer, expected: HostileBatch['expected']): Judgement {
  if (!(error instanceof DataError)) return { defect: `threw ${String(error)}` };
  if (error.code !== 'CORRUPT_BATCH' && error.code !== 'UNSUPPORTED_BATCH_VERSION')
    return { defect: `threw ${error.code}` };
  if (expected === 'the-book' && readByTheBook(bytes) !== null)
    return { defect: `refused a sound batch: ${error.message}` };
  return { outcome: error.code };
}

/** Asks for everything, as a handler might. */
function touch(record: BatchRecord): BookRecord {
  const { timestampMs, key, value, headers } = record;
  return { timestampMs, key, value, headers: new Map(Object.entries(headers)) };
}

function firstDifference(read: readonly BookRecord[], book: readonly BookRecord[]): string | null {
  if (read.length !== book.length) return `${read.length} records, not ${book.length}`;
  for (const [index, record] of book.entries()) {
    const other = read[index];
    const isSame =
      other !== undefined &&
      other.timestampMs === record.timestampMs &&
      areEqual(other.key, record.key) &&
      areEqual(other.value, record.value) &&
      other.headers.size === record.headers.size &&
      [...record.headers].every(([name, value]) => areEqual(other.headers.get(name) ?? null, value));
    if (!isSame) return `record ${index} of ${book.length} is another one`;
  }
  return null;
}

function areEqual(one: Buffer | null, other: Buffer | null): boolean {
  return one === null || other === null ? one === other : one.equals(other);
}
