/**
 * The outline of a zstd frame (RFC 8878, 3.1.1), read without decompressing anything. zlib takes more than one frame,
 * frames to be skipped, and bytes behind the last one, for what a stream may hold. A batch holds one frame and nothing
 * else, and it says how large its content is: whatever is refused here has cost neither time nor memory.
 */
const MAGIC = 0xfd2fb528;
const MAGIC_BYTES = 4;
const BLOCK_HEADER_BYTES = 3;
const CHECKSUM_BYTES = 4;

const RLE_BLOCK = 1;
const RESERVED_BLOCK = 3;

/** Bytes of the content's size by the descriptor's two highest bits; the shortest form is for small frames alone. */
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;

/** What is wrong with a frame that must fill `bytes` and hold `contentBytes`; null when nothing is. */
export function frameProblem(bytes: Buffer, contentBytes: number): string | null {
  const descriptor = bytes[MAGIC_BYTES];
  if (descriptor === undefined || bytes.readUInt32LE(0) !== MAGIC) return 'it is no zstd frame';
  if ((descriptor & 0b1000) !== 0) return 'its zstd frame sets a reserved bit';
  if ((descriptor & 0b11) !== 0) return 'its zstd frame needs a dictionary';
  const isSingleSegment = (descriptor & 0b10_0000) !== 0;
  const sizeAt = MAGIC_BYTES + 1 + (isSingleSegment ? 0 : 1);
  const sizeBytes = CONTENT_SIZE_BYTES[descriptor >> 6] || (isSingleSegment ? 1 : 0);
  if (sizeBytes === 0) return 'its zstd frame does not say its size';
  const blocksAt = sizeAt + sizeBytes;
  if (blocksAt > bytes.length) return 'its zstd frame ends in the header';
  const stated = contentSize(bytes, sizeAt, sizeBytes);
  if (stated !== contentBytes) return `its zstd frame states ${stated} bytes, the batch ${contentBytes}`;

  const blocksEnd = endOfBlocks(bytes, blocksAt);
  if (blocksEnd === null) return 'its zstd frame is cut off';
  const end = blocksEnd + ((descriptor & 0b100) === 0 ? 0 : CHECKSUM_BYTES);
  if (end > bytes.length) return 'its zstd frame is cut off';
  return end === bytes.length ? null : `${bytes.length - end} bytes follow its zstd frame`;
}

function contentSize(bytes: Buffer, at: number, sizeBytes: number): number {
  if (sizeBytes === 8) return Number(bytes.readBigUInt64LE(at));
  // Two bytes begin to count where one byte ends.
  return bytes.readUIntLE(at, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
}

/** Position behind the last block; null where the bytes end before it, or a block is of no known type. */
function endOfBlocks(bytes: Buffer, start: number): number | null {
  let position = start;
  while (position + BLOCK_HEADER_BYTES <= bytes.length) {
    const header = bytes.readUIntLE(position, BLOCK_HEADER_BYTES);
    const type = (header >> 1) & 0b11;
    if (type === RESERVED_BLOCK) return null;
    position += BLOCK_HEADER_BYTES + (type === RLE_BLOCK ? 1 : header >> 3);
    if ((header & 1) === 1) return position;
  }
  return null;
}
