/** zstd frames as no compressor writes them (RFC 8878): their header may lie, and few bytes may stand for many. */

export type Block =
  /** The bytes as they are. */
  | { readonly type: 'raw'; readonly bytes: Uint8Array }
  /** One byte, `size` times: four bytes for every 128 KiB. */
  | { readonly type: 'repeat'; readonly byte: number; readonly size: number }
  | { readonly type: 'reserved' };

export interface FrameOptions {
  readonly blocks: readonly Block[];
  /** What the header says of the size of the content; left out, it says nothing. */
  readonly contentBytes?: number;
  /** 10 to 41: the frame then says that its window has 2^n bytes, and is not one segment. */
  readonly windowLog?: number;
  readonly dictionaryId?: number;
  readonly checksum?: number;
  /** Without its last block a frame has no end. */
  readonly hasEnd?: boolean;
}

const MAX_BLOCK_BYTES = 128 * 1024;

const MAGIC = Buffer.from('28b52ffd', 'hex');

export function zstdFrame(options: FrameOptions): Buffer {
  const { blocks, contentBytes, windowLog, dictionaryId, checksum, hasEnd = true } = options;
  // The widest forms: eight bytes of size, four of the dictionary's name.
  const descriptor =
    (contentBytes === undefined ? 0 : 0b1100_0000) |
    (windowLog === undefined ? 0b10_0000 : 0) |
    (checksum === undefined ? 0 : 0b100) |
    (dictionaryId === undefined ? 0 : 0b11);
  return Buffer.concat([
    MAGIC,
    Buffer.of(descriptor),
    windowLog === undefined ? Buffer.alloc(0) : Buffer.of((windowLog - 10) << 3),
    dictionaryId === undefined ? Buffer.alloc(0) : littleEndian(dictionaryId, 4),
    contentBytes === undefined ? noSize(windowLog) : littleEndian(contentBytes, 8),
    ...blocks.map((block, index) => blockBytes(block, hasEnd && index === blocks.length - 1)),
    checksum === undefined ? Buffer.alloc(0) : littleEndian(checksum, 4),
  ]);
}

/** What decompressors have to pass over, wherever frames follow one another. */
export function skippableFrame(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from('502a4d18', 'hex'), littleEndian(bytes.length, 4), bytes]);
}

/** A frame of one segment has one byte of size at least. */
function noSize(windowLog: number | undefined): Buffer {
  return windowLog === undefined ? Buffer.of(0) : Buffer.alloc(0);
}

function blockBytes(block: Block, isLast: boolean): Buffer {
  switch (block.type) {
    case 'raw':
      return Buffer.concat([blockHeader(0, block.bytes.length, isLast), block.bytes]);
    case 'repeat':
      return repeatBlocks(block.byte, block.size, isLast);
    case 'reserved':
      return blockHeader(3, 0, isLast);
    default:
      return block satisfies never;
  }
}

function repeatBlocks(byte: number, size: number, isLast: boolean): Buffer {
  const full = Math.ceil(size / MAX_BLOCK_BYTES) - 1;
  return Buffer.concat([
    Buffer.alloc(full * 4, Buffer.concat([blockHeader(1, MAX_BLOCK_BYTES, false), Buffer.of(byte)])),
    blockHeader(1, size - full * MAX_BLOCK_BYTES, isLast),
    Buffer.of(byte),
  ]);
}

function blockHeader(type: number, size: number, isLast: boolean): Buffer {
  return littleEndian((size << 3) | (type << 1) | Number(isLast), 3);
}

function littleEndian(value: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  if (bytes === 8) buffer.writeBigUInt64LE(BigInt(value));
  else buffer.writeUIntLE(value, 0, bytes);
  return buffer;
}
