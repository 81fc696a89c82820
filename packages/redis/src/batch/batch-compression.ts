/**
 * Compresses the records of a finished batch, and gets them back. Both are done at once and not in zlib's thread pool:
 * batches of a partition leave in order, and half a millisecond for 100 KB is less than what passing it to and fro would
 * add to every batch (docs/adr/0012).
 *
 * Reading trusts nothing: the sizes are checked before anything is set aside for them, and what comes out is never more
 * than was stated.
 */
// As one object and not by name: importing a name that this Node lacks would fail before anybody could say why.
import zlib from 'node:zlib';
import { ConfigError, DataError } from '@millrace/core';
import {
  BATCH_VERSION,
  HEADER_BYTES,
  MAX_BATCH_BYTES,
  MAX_ZSTD_WINDOW_LOG,
  MIN_RECORD_BYTES,
  ZSTD_COMPRESSED,
} from './batch-format.ts';
import { corruptBatch } from './corrupt-batch.ts';
import { varintBytes, VarintReader, writeVarint } from './varint.ts';
import { frameProblem } from './zstd-frame.ts';

export type Compression = 'none' | 'zstd';

export interface CompressionSettings {
  readonly compression: Compression;
  /** Batches below this size are stored as they are. */
  readonly compressionMinBytes: number;
}

const LEVEL = 1;
/** Of the size before, what a compressed batch may keep at most: reading one that saved less costs more than it is worth. */
const MAX_RATIO = 0.9;
/** The least that zlib takes as the size of its output buffer. */
const MIN_CHUNK_BYTES = 64;

const NODES_WITH_ZSTD = 'Node 22.15, 23.8 or newer';

/** Throws ConfigError `INVALID_OPTION` where this Node cannot compress so. */
export function verifyCompression(compression: Compression): void {
  if (compression === 'none' || hasZstd()) return;
  throw new ConfigError(
    'INVALID_OPTION',
    `compression "zstd" needs ${NODES_WITH_ZSTD}, and this is ${process.version}; so does every consumer`,
  );
}

/**
 * A batch of the same header (whose checksum and attributes are the caller's) with compressed records, in a buffer of its
 * own; null where that would not be at least a tenth smaller.
 */
export function compressBatch(batch: Buffer): Buffer | null {
  verifyCompression('zstd');
  const records = batch.subarray(HEADER_BYTES);
  const frame = zlib.zstdCompressSync(records, {
    params: { [zlib.constants.ZSTD_c_compressionLevel]: LEVEL },
    // Makes the frame state its size, and its window no larger than that.
    pledgedSrcSize: records.length,
    // One piece, or zlib would join them by another copy.
    chunkSize: Math.max(records.length, MIN_CHUNK_BYTES),
  });
  const frameAt = HEADER_BYTES + varintBytes(records.length);
  if (frameAt + frame.length > batch.length * MAX_RATIO) return null;
  const compressed = Buffer.allocUnsafe(frameAt + frame.length);
  batch.copy(compressed, 0, 0, HEADER_BYTES);
  writeVarint(compressed, HEADER_BYTES, records.length);
  frame.copy(compressed, frameAt);
  return compressed;
}

/**
 * The records of a compressed batch that says it holds `count`. Throws DataError: `CORRUPT_BATCH`, or
 * `UNSUPPORTED_BATCH_VERSION` where this Node has no zstd.
 */
export function decompressRecords(batch: Buffer, count: number, where: string): Buffer {
  const reader = new VarintReader(batch, HEADER_BYTES, batch.length);
  const size = reader.next();
  if (size < 0) throw corruptBatch(where, 'the size of its records is malformed');
  if (size > MAX_BATCH_BYTES - HEADER_BYTES)
    throw corruptBatch(where, `records of ${size} bytes are more than a batch holds`);
  if (count > size / MIN_RECORD_BYTES)
    throw corruptBatch(where, `${count} records do not fit in ${size} bytes`);
  const frame = batch.subarray(reader.position);
  const problem = frameProblem(frame, size);
  if (problem !== null) throw corruptBatch(where, problem);
  if (!hasZstd()) throw unreadable(where);
  const records = decompressFrame(frame, size, where);
  if (records.length !== size)
    throw corruptBatch(where, `${records.length} bytes of records, not ${size}, were compressed`);
  return records;
}

function decompressFrame(frame: Buffer, size: number, where: string): Buffer {
  try {
    return zlib.zstdDecompressSync(frame, {
      params: { [zlib.constants.ZSTD_d_windowLogMax]: MAX_ZSTD_WINDOW_LOG },
      maxOutputLength: size,
      // One byte more than there is: zlib takes another piece when one is full.
      chunkSize: Math.max(size + 1, MIN_CHUNK_BYTES),
    });
  } catch (cause) {
    throw corruptBatch(where, 'its records cannot be decompressed', cause);
  }
}

function hasZstd(): boolean {
  return typeof zlib.zstdDecompressSync === 'function';
}

function unreadable(where: string): DataError {
  return new DataError(
    'UNSUPPORTED_BATCH_VERSION',
    `${where} is compressed with zstd, which needs ${NODES_WITH_ZSTD}, and this is ${process.version}: upgrade the reader's Node`,
    { details: { version: BATCH_VERSION, attributes: ZSTD_COMPRESSED, supported: BATCH_VERSION } },
  );
}
