import { defaultPartitioner } from '@millrace/core';
import zlib from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { resolveProducerOptions, type ProducerOptions } from './producer-options.ts';

test('defaults', () => {
  expect(resolveProducerOptions({})).toEqual({
    producerId: undefined,
    lingerMs: 0,
    maxBatchBytes: 229_248,
    maxBatchRecords: 10_000,
    compression: 'none',
    compressionMinBytes: 1_024,
    maxBufferedBytes: 33_554_432,
    maxBlockMs: 60_000,
    deliveryTimeoutMs: 30_000,
    durability: null,
    onLogTruncated: 'resume',
    partitioner: defaultPartitioner,
  });
});

test.each<[ProducerOptions, string]>([
  [{ lingerMs: -1 }, 'lingerMs'],
  [{ lingerMs: NaN }, 'lingerMs'],
  [{ lingerMs: '5' as never }, 'lingerMs must be a number from 0 to 29999, not "5"'],
  [{ lingerMs: 30_000 }, 'lingerMs'],
  [{ maxBatchBytes: 0 }, 'maxBatchBytes'],
  [{ maxBatchBytes: 10_000_000 }, 'maxBatchBytes'],
  [{ maxBatchRecords: 10_001 }, 'maxBatchRecords'],
  [{ compression: 'gzip' as never }, 'compression must be "none" or "zstd", not "gzip"'],
  [{ compression: true as never }, 'compression'],
  [{ compressionMinBytes: -1 }, 'compressionMinBytes'],
  [{ compressionMinBytes: 10_000_000 }, 'compressionMinBytes'],
  [{ maxBufferedBytes: 0 }, 'maxBufferedBytes'],
  [{ maxBlockMs: 0 }, 'maxBlockMs'],
  [{ deliveryTimeoutMs: 0 }, 'deliveryTimeoutMs'],
  [{ deliveryTimeoutMs: 300_001 }, 'deliveryTimeoutMs'],
  [{ deliveryTimeoutMs: '30' as never }, 'deliveryTimeoutMs'],
  [{ compression: 5n as never }, 'compression must be "none" or "zstd", not 5n'],
  [{ onLogTruncated: 'x' as never }, 'onLogTruncated must be "resume" or "fail", not "x"'],
  [{ partitioner: 5 as never }, 'partitioner must be a function, not 5'],
  [{ partitioner: null as never }, 'partitioner must be a function, not null'],
])('%o is refused by its name', (options, name) => {
  expect(() => resolveProducerOptions(options)).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(name) }),
  );
});

test('a producer id is a name', () => {
  expect(resolveProducerOptions({ producerId: 'billing-1' }).producerId).toBe('billing-1');
  expect(() => resolveProducerOptions({ producerId: 'a b' })).toThrow(
    expect.objectContaining({ code: 'INVALID_NAME' }),
  );
});

test('a Node without zstd refuses to compress with it at once, and does everything else', () => {
  const { zstdDecompressSync } = zlib;
  onTestFinished(() => void Object.assign(zlib, { zstdDecompressSync }));
  expect(resolveProducerOptions({ compression: 'zstd' }).compression).toBe('zstd');
  Object.assign(zlib, { zstdDecompressSync: undefined });
  expect(() => resolveProducerOptions({ compression: 'zstd' })).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining('needs Node 22.15') }),
  );
  expect(resolveProducerOptions({ compression: 'none' }).compression).toBe('none');
});
