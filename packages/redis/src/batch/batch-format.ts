/**
 * Layout and limits of a record batch, version 1. A batch is the unit of appending, storing and reading: one stream
 * entry holds one. All integers are big-endian.
 *
 *   offset  bytes
 *   0       1      version, 1
 *   1       4      CRC-32 of everything behind it
 *   5       1      attributes: the lowest three bits are the codec of the records, 0 none, 1 zstd; the others are 0
 *   6       4      number of records
 *   10      6      base timestamp, ms since 1970
 *   16      …      the records
 *
 *   record: length of what follows · timestamp − base timestamp · key · value · number of headers · headers
 *   key, value: length + 1, or 0 for null, and the bytes.   header: length, UTF-8 name, length, bytes
 *
 * Compressed records are: size of the records · one zstd frame (RFC 8878) that holds them and fills the batch. The frame
 * states the same size, has a window of at most 2 MiB and no dictionary. The checksum is that of what is stored, so that a
 * damaged batch is found without decompressing it; limits of size are those of the batch before compression.
 *
 * Lengths, sizes and counts are LEB128 varints, the timestamp delta is zigzag-coded first. The version stands outside of the
 * checksum, so that a later layout is free to place its checksum elsewhere. Offsets are not stored: the id of the
 * stream entry holds them, which lets one encoded batch be sent again wherever it lands.
 */

export const BATCH_VERSION = 1;
/** Attributes: the records are stored as they are. */
export const UNCOMPRESSED = 0;
/** Attributes: the records are one zstd frame. */
export const ZSTD_COMPRESSED = 1;

export const CRC_AT = 1;
export const ATTRIBUTES_AT = 5;
export const RECORD_COUNT_AT = 6;
export const BASE_TIMESTAMP_AT = 10;
export const HEADER_BYTES = 16;

/** Length 4 + delta, null key, null value, no headers: what the emptiest record takes. */
export const MIN_RECORD_BYTES = 5;

/** Largest record: its key, value and headers with their lengths, as encoded. */
export const MAX_RECORD_BYTES = 1_048_576;
/** Largest key. Kafka has no such limit; a key is an identity, and it is hashed and compared on every record. */
export const MAX_KEY_BYTES = 4_096;
export const MAX_HEADERS = 64;
/** All headers of a record together, names included. */
export const MAX_HEADER_BYTES = 16_384;
/** Largest batch, with room for one record of the largest size. `append.lua` holds everybody to it. */
export const MAX_BATCH_BYTES = MAX_RECORD_BYTES + 64;
export const MAX_BATCH_RECORDS = 10_000;

/** A reader sets this much aside for a frame at most: what frames of the largest batch need at any usual level. */
export const MAX_ZSTD_WINDOW_LOG = 21;

/** 48 bits, the year 10889: wide enough, and every sum of two stays an exact double. */
export const MAX_TIMESTAMP_MS = 2 ** 48 - 1;
