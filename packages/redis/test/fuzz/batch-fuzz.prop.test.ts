/**
 * The decoder against batches that nothing of Millrace wrote. `node packages/redis/test/fuzz/batch.ts --seconds N` does the
 * same for longer; here the number of runs is fixed.
 */
import zlib from 'node:zlib';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { decodeBatch } from '../../src/batch/batch-decoder.ts';
import { encodeBatch, type RecordInput } from '../../src/batch/batch-encoder.ts';
import { ATTRIBUTES_AT, HEADER_BYTES, MAX_BATCH_BYTES } from '../../src/batch/batch-format.ts';
import { VarintReader } from '../../src/batch/varint.ts';
import { compressedBatch, everyDamage, hostileBatch, withChecksum } from './hostile-batches.ts';
import { judge, type Judgement } from './judge.ts';
import { recordInputs } from './record-inputs.ts';

const RUNS = 1_000;

/** Small, and yet with every part that a record has. */
const SMALL: readonly RecordInput[] = [
  { key: 'k', value: 'vvvvvvvvvvvvvvvv', timestampMs: 1_700_000_000_000 },
  { value: null, timestampMs: 1_699_999_999_999, headers: { h: Buffer.of(0xff) } },
];

afterEach(() => {
  vi.restoreAllMocks();
});

test('what was compressed is what is decoded', () => {
  fc.assert(
    fc.property(recordInputs, (inputs) => {
      expect(judge({ attack: 'none', bytes: compressedBatch(inputs), expected: 'the-book' })).toEqual({
        outcome: 'decoded',
      });
      const small = encodeBatch(inputs, { compression: 'zstd', compressionMinBytes: 0 });
      expect(decodeBatch(small).map(({ value }) => value)).toEqual(
        decodeBatch(encodeBatch(inputs)).map(({ value }) => value),
      );
    }),
    { numRuns: 200 },
  );
});

test.each([
  ['plain', encodeBatch(SMALL), false],
  ['compressed', compressedBatch(SMALL), true],
])(
  'every flipped bit and every cut of a %s batch is told, or decoded as it stands',
  (_, batch, isCompressed) => {
    const outcomes = new Map<string, number>();
    for (const hostile of everyDamage(batch, isCompressed)) {
      const judgement = judge(hostile);
      if ('defect' in judgement) throw new Error(`${hostile.attack}: ${judgement.defect}`);
      outcomes.set(judgement.outcome, (outcomes.get(judgement.outcome) ?? 0) + 1);
    }
    expect([...outcomes.keys()].toSorted()).toEqual([
      'CORRUPT_BATCH',
      'UNSUPPORTED_BATCH_VERSION',
      'decoded',
    ]);
  },
);

test('hostile batches are an error, or exactly what the layout says of them', () => {
  const outcomes = new Set<string>();
  fc.assert(
    fc.property(hostileBatch, (hostile) => {
      const judgement = judge(hostile);
      if ('defect' in judgement) throw new Error(`${hostile.attack}: ${judgement.defect}`);
      outcomes.add(judgement.outcome);
    }),
    { numRuns: RUNS },
  );
  expect([...outcomes].toSorted()).toEqual(['CORRUPT_BATCH', 'UNSUPPORTED_BATCH_VERSION', 'decoded']);
});

test('nothing is ever set aside beyond the size of a batch', () => {
  const decompress = vi.spyOn(zlib, 'zstdDecompressSync');
  let calls = 0;
  fc.assert(
    fc.property(hostileBatch, ({ bytes }) => {
      decompress.mockClear();
      try {
        decodeBatch(bytes);
      } catch {
        // Judged elsewhere.
      }
      for (const [, options] of decompress.mock.calls) {
        calls++;
        expect(options?.maxOutputLength).toBeLessThanOrEqual(MAX_BATCH_BYTES);
        expect(options?.chunkSize).toBeLessThanOrEqual(MAX_BATCH_BYTES);
        expect(options?.params).toEqual({ [zlib.constants.ZSTD_d_windowLogMax]: 21 });
      }
      expect(decompress.mock.calls.length).toBeLessThanOrEqual(1);
    }),
    { numRuns: RUNS / 2 },
  );
  expect(calls).toBeGreaterThan(0);
});

describe('a decoder with a defect is found:', () => {
  const withoutChecksum = (bytes: Buffer): ReturnType<typeof decodeBatch> =>
    decodeBatch(bytes.length < HEADER_BYTES ? bytes : withChecksum(Buffer.from(bytes)));
  const withZlibAlone = (bytes: Buffer): ReturnType<typeof decodeBatch> => {
    if (bytes.length < HEADER_BYTES || bytes[ATTRIBUTES_AT] !== 1) return decodeBatch(bytes);
    const reader = new VarintReader(bytes, HEADER_BYTES, bytes.length);
    reader.next();
    const plain = Buffer.concat([
      bytes.subarray(0, HEADER_BYTES),
      zlib.zstdDecompressSync(bytes.subarray(reader.position), { maxOutputLength: MAX_BATCH_BYTES }),
    ]);
    plain[ATTRIBUTES_AT] = 0;
    return decodeBatch(withChecksum(plain));
  };
  test.each<[string, (bytes: Buffer) => ReturnType<typeof decodeBatch>, RegExp]>([
    ['one that does not look at the checksum', withoutChecksum, /^decoded to/],
    ['one that leaves the frame to zlib', withZlibAlone, /^decoded to/],
    ['one that loses a record', (bytes) => decodeBatch(bytes).slice(1), /records, not/],
    ['one that changes the bytes', (bytes) => (bytes.fill(0, 1), decodeBatch(bytes)), /changed/],
    ['one that gives up too early', () => decodeBatch(Buffer.alloc(0)), /refused a sound batch/],
    [
      'one that fails otherwise',
      () => {
        throw new RangeError('out of range');
      },
      /threw RangeError/,
    ],
  ])('%s', (_, decode, defect) => {
    const found: Judgement[] = [];
    fc.assert(
      fc.property(hostileBatch, (hostile) => {
        const judgement = judge(hostile, decode);
        if ('defect' in judgement) found.push(judgement);
      }),
      { numRuns: 300, seed: 1 },
    );
    expect(found).toContainEqual({ defect: expect.stringMatching(defect) });
  });
});
