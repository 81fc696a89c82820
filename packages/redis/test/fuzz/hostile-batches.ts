/**
 * Batches as damage, a bug or malice would leave them. Most carry a checksum that fits, for what it does not stop has to be
 * stopped behind it.
 */
import zlib from 'node:zlib';
import fc from 'fast-check';
import { encodeBatch, type RecordInput } from '../../src/batch/batch-encoder.ts';
import {
  ATTRIBUTES_AT,
  CRC_AT,
  HEADER_BYTES,
  MAX_BATCH_BYTES,
  MAX_BATCH_RECORDS,
  RECORD_COUNT_AT,
} from '../../src/batch/batch-format.ts';
import { varintBytes, writeVarint } from '../../src/batch/varint.ts';
import type { HostileBatch } from './judge.ts';
import { recordInputs } from './record-inputs.ts';
import { skippableFrame, zstdFrame, type Block, type FrameOptions } from './zstd-frames.ts';

const GIB = 2 ** 30;
const GIB_OF_ZEROS: Block = { type: 'repeat', byte: 0, size: GIB };
const MAX_CONTENT_BYTES = MAX_BATCH_BYTES - HEADER_BYTES;

/** Makes changed bytes pass for some that were written so. */
export function withChecksum(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(zlib.crc32(bytes.subarray(ATTRIBUTES_AT)), CRC_AT);
  return bytes;
}

/** Also where the encoder would find that it does not pay. */
export function compressedBatch(inputs: readonly RecordInput[]): Buffer {
  const plain = encodeBatch(inputs);
  return compressedAs(plain, contentOf(plain));
}

/** The header of `plain` before other content, compressed. */
function compressedAs(plain: Buffer, content: Buffer): Buffer {
  return withFrame(plain, content.length, zlib.zstdCompressSync(content, { pledgedSrcSize: content.length }));
}

function withFrame(plain: Buffer, stated: number, frame: Buffer): Buffer {
  return withSizeAndFrame(plain, varint(stated), frame);
}

function withSizeAndFrame(plain: Buffer, size: Uint8Array, frame: Buffer): Buffer {
  const batch = Buffer.concat([plain.subarray(0, HEADER_BYTES), size, frame]);
  batch[ATTRIBUTES_AT] = 1;
  return withChecksum(batch);
}

function contentOf(plain: Buffer): Buffer {
  return plain.subarray(HEADER_BYTES);
}

function varint(value: number): Buffer {
  const bytes = Buffer.alloc(varintBytes(value));
  writeVarint(bytes, 0, value);
  return bytes;
}

function flip(bytes: Buffer, bit: number): Buffer {
  const flipped = Buffer.from(bytes);
  const at = (bit >> 3) % bytes.length;
  flipped[at] = (flipped[at] ?? 0) ^ (1 << (bit & 7));
  return flipped;
}

/** Every bit flipped and every length cut to, with the checksum as it was and with one that fits. */
export function* everyDamage(batch: Buffer, isCompressed: boolean): Generator<HostileBatch> {
  for (let bit = 0; bit < batch.length * 8; bit++) {
    yield { attack: `bit ${bit}`, bytes: flip(batch, bit), expected: 'error' };
    const bytes = withChecksum(flip(batch, bit));
    // Of the checksum's own bits nothing is left.
    if (!bytes.equals(batch))
      yield { attack: `bit ${bit}, fits`, bytes, expected: isCompressed ? 'if-decoded' : 'the-book' };
  }
  for (let length = 0; length < batch.length; length++) {
    const bytes = Buffer.from(batch.subarray(0, length));
    yield { attack: `cut to ${length}`, bytes, expected: 'error' };
    if (length >= HEADER_BYTES)
      yield { attack: `cut to ${length}, fits`, bytes: withChecksum(Buffer.from(bytes)), expected: 'error' };
  }
}

const HOSTILE_NUMBERS: readonly Uint8Array[] = [
  ...[0, 1, 0x7f, 0x80, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 48, Number.MAX_SAFE_INTEGER].map(varint),
  // 2^53, ten bytes, no end, and a longer form of 1 than needed.
  Buffer.from('8080808080808010', 'hex'),
  Buffer.from('ffffffffffffffffff01', 'hex'),
  Buffer.alloc(12, 0x80),
  Buffer.from('8100', 'hex'),
];

interface Sample {
  readonly plain: Buffer;
  readonly isCompressed: boolean;
}

const sample: fc.Arbitrary<Sample> = fc.record({
  plain: recordInputs.map((inputs) => encodeBatch(inputs)),
  isCompressed: fc.boolean(),
});

function stored({ plain, isCompressed }: Sample): Buffer {
  return isCompressed ? compressedAs(plain, contentOf(plain)) : plain;
}

/** The checksum is left as it was. */
const damaged = fc
  .tuple(sample, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 20 }))
  .map(([source, at, more]): HostileBatch => {
    const batch = stored(source);
    switch (at % 3) {
      case 0:
        return { attack: 'a bit', bytes: flip(batch, Math.floor(at / 3)), expected: 'error' };
      case 1:
        return { attack: 'cut', bytes: Buffer.from(batch.subarray(0, at % batch.length)), expected: 'error' };
      default:
        return { attack: 'extended', bytes: Buffer.concat([batch, more]), expected: 'error' };
    }
  });

/** Anything behind the checksum, which is made to fit. */
const forged = fc
  .tuple(sample, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }))
  .map(([source, changes]): HostileBatch => {
    const bytes = Buffer.from(stored(source));
    for (const [at, byte] of changes)
      bytes[ATTRIBUTES_AT + 1 + (at % (bytes.length - ATTRIBUTES_AT - 1))] = byte;
    const expected = source.isCompressed ? 'if-decoded' : 'the-book';
    return { attack: 'forged', bytes: withChecksum(bytes), expected };
  });

/** A length, count or delta of the records that leads astray, plain or under sound compression. */
const hostileNumber = fc
  .tuple(sample, fc.nat(), fc.nat(3), fc.constantFrom(...HOSTILE_NUMBERS))
  .map(([{ plain, isCompressed }, place, replaced, number]): HostileBatch => {
    const content = contentOf(plain);
    const at = place % (content.length + 1);
    const changed = Buffer.concat([content.subarray(0, at), number, content.subarray(at + replaced)]);
    const bytes = isCompressed
      ? compressedAs(plain, changed)
      : withChecksum(Buffer.concat([plain.subarray(0, HEADER_BYTES), changed]));
    return { attack: 'a hostile number', bytes, expected: 'the-book' };
  });

const hostileCount = fc
  .tuple(
    sample,
    fc.oneof(
      fc.constantFrom(0, MAX_BATCH_RECORDS, MAX_BATCH_RECORDS + 1, 2 ** 31, 2 ** 32 - 1),
      fc.integer({ min: 0, max: 40 }),
    ),
  )
  .map(([source, count]): HostileBatch => {
    const bytes = Buffer.from(stored(source));
    bytes.writeUInt32BE(count, RECORD_COUNT_AT);
    return { attack: `a count of ${count}`, bytes: withChecksum(bytes), expected: 'the-book' };
  });

const hostileSize = fc
  .tuple(
    sample,
    fc.constantFrom(...HOSTILE_NUMBERS, ...[MAX_CONTENT_BYTES, MAX_CONTENT_BYTES + 1, GIB].map(varint)),
  )
  .map(([{ plain }, size]): HostileBatch => {
    const bytes = withSizeAndFrame(plain, size, zlib.zstdCompressSync(contentOf(plain)));
    return { attack: 'a hostile size', bytes, expected: 'the-book' };
  });

/** Frames that say of themselves what is not so, or that are more than one. */
const hostileFrame = fc
  .tuple(sample, fc.constantFrom(...frameAttacks()), fc.nat())
  .map(([{ plain }, [attack, make], at]): HostileBatch => {
    const content = contentOf(plain);
    return { attack, bytes: withFrame(plain, content.length, make(content, at)), expected: 'error' };
  });

type MakeFrame = (content: Buffer, at: number) => Buffer;

function frameAttacks(): [string, MakeFrame][] {
  const frame = (content: Buffer): Buffer => zlib.zstdCompressSync(content);
  const raw = (content: Buffer, options: Partial<FrameOptions>): Buffer =>
    zstdFrame({ blocks: [{ type: 'raw', bytes: content }], contentBytes: content.length, ...options });
  const cut = (content: Buffer, at: number): [Buffer, Buffer] => {
    const middle = at % content.length;
    return [content.subarray(0, middle), content.subarray(middle)];
  };
  return [
    ['two frames', (content, at) => Buffer.concat(cut(content, at).map(frame))],
    ['an empty frame behind', (content) => Buffer.concat([frame(content), frame(Buffer.alloc(0))])],
    ['a skippable frame before', (content) => Buffer.concat([skippableFrame(Buffer.of(1)), frame(content)])],
    ['a skippable frame behind', (content) => Buffer.concat([frame(content), skippableFrame(Buffer.of(1))])],
    ['a skippable frame alone', (content) => skippableFrame(content)],
    [
      'bytes behind the frame',
      (content, at) => Buffer.concat([frame(content), Buffer.alloc(1 + (at % 9), at)]),
    ],
    ['nothing', () => Buffer.alloc(0)],
    ['no frame', (content) => content],
    ['a deflated one', (content) => zlib.deflateSync(content)],
    ['a dictionary', (content, at) => raw(content, { dictionaryId: at % 2 ** 31 })],
    ['the dictionary 0', (content) => raw(content, { dictionaryId: 0 })],
    ['a window of 2 TiB', (content) => raw(content, { windowLog: 41, contentBytes: GIB })],
    ['a frame without its size', (content) => withoutSize(content)],
    ['a size of one more', (content) => raw(content, { contentBytes: content.length + 1 })],
    ['a size of one less', (content) => raw(content, { contentBytes: content.length - 1 })],
    ['a size of 1 GiB', (content) => raw(content, { contentBytes: GIB })],
    [
      'more than it says',
      (content) => raw(Buffer.concat([content, Buffer.of(0)]), { contentBytes: content.length }),
    ],
    ['less than it says', (content) => raw(content.subarray(1), { contentBytes: content.length })],
    ['no end', (content) => raw(content, { hasEnd: false })],
    ['a wrong checksum', (content, at) => raw(content, { checksum: at % 2 ** 31 })],
    ['a reserved block', (content) => raw(content, { blocks: [{ type: 'reserved' }] })],
    ['a bomb that says so', (content) => raw(content, { blocks: [GIB_OF_ZEROS] })],
    ['a bomb that does not', (content) => raw(content, { blocks: [GIB_OF_ZEROS], contentBytes: GIB })],
  ];
}

function withoutSize(content: Buffer): Buffer {
  return zlib.zstdCompressSync(content, { params: { [zlib.constants.ZSTD_c_contentSizeFlag]: 0 } });
}

/** Sound frames that nobody would expect: they are decoded, or the attacks prove nothing about the others. */
const unusualFrame = fc
  .tuple(sample, fc.constantFrom('raw', 'windowed', 'checksum', 'level 19'))
  .map(([{ plain }, kind]): HostileBatch => {
    const content = contentOf(plain);
    const raw = { blocks: [{ type: 'raw', bytes: content }], contentBytes: content.length } as const;
    const { ZSTD_c_checksumFlag: checksum, ZSTD_c_compressionLevel: level } = zlib.constants;
    const frame = {
      raw: () => zstdFrame(raw),
      windowed: () => zstdFrame({ ...raw, windowLog: 21 }),
      checksum: () => zlib.zstdCompressSync(content, { params: { [checksum]: 1 } }),
      'level 19': () => zlib.zstdCompressSync(content, { params: { [level]: 19 } }),
    }[kind]();
    return {
      attack: `unusual: ${kind}`,
      bytes: withFrame(plain, content.length, frame),
      expected: 'the-book',
    };
  });

/** All of the size that a batch may have, and more. */
const bomb = fc
  .tuple(
    fc.constantFrom(MAX_CONTENT_BYTES, MAX_CONTENT_BYTES + 1, GIB),
    fc.constantFrom(MAX_CONTENT_BYTES, GIB),
    fc.option(fc.integer({ min: 10, max: 41 }), { nil: undefined }),
    fc.nat(255),
    fc.constantFrom(1, MAX_BATCH_RECORDS, Math.floor(MAX_CONTENT_BYTES / 5)),
  )
  .map(([stated, size, windowLog, byte, count]): HostileBatch => {
    const header = encodeBatch([{ value: null, timestampMs: 0 }]);
    header.writeUInt32BE(count, RECORD_COUNT_AT);
    const frame = zstdFrame({
      blocks: [{ type: 'repeat', byte, size }],
      contentBytes: stated,
      ...(windowLog === undefined ? {} : { windowLog }),
    });
    return { attack: 'a bomb', bytes: withFrame(header, stated, frame), expected: 'error' };
  });

const noise = fc.uint8Array({ maxLength: 300 }).map((bytes): HostileBatch => {
  return { attack: 'noise', bytes: Buffer.from(bytes), expected: 'error' };
});

export const hostileBatch: fc.Arbitrary<HostileBatch> = fc.oneof(
  { arbitrary: damaged, weight: 3 },
  { arbitrary: forged, weight: 8 },
  { arbitrary: hostileNumber, weight: 8 },
  { arbitrary: hostileCount, weight: 2 },
  { arbitrary: hostileSize, weight: 2 },
  { arbitrary: hostileFrame, weight: 6 },
  { arbitrary: unusualFrame, weight: 3 },
  { arbitrary: bomb, weight: 1 },
  { arbitrary: noise, weight: 1 },
);
