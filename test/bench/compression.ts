/**
 * What zstd costs a batch, and what it saves: CPU of this process per MiB of records, which holds on a busy machine too,
 * by level and by size of the batch. Orders as JSON with random ids, and random bytes, which nothing makes smaller.
 * Medians. Behind docs/adr/0012.
 *
 * `node test/bench/compression.ts [--runs 5] [--json]`
 */
import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import zlib from 'node:zlib';
import { median } from './median.ts';

const { values: options } = parseArgs({
  options: { runs: { type: 'string', default: '5' }, json: { type: 'boolean', default: false } },
});
const RUNS = Number(options.runs);
const MIB = 1_048_576;
const SIZES = [1_024, 4_096, 65_536, 131_072, MIB];
const LEVELS = [-5, 1, 2, 3];
/** A run has to be long against the clock of CPU time. */
const BYTES_PER_RUN = 4 * MIB;
const MAX_TURNS = 200;

interface Row {
  readonly kind: string;
  readonly size: number;
  readonly level: number;
  readonly ratio: number;
  readonly compressMs: number;
  readonly compressMsPerMib: number;
  readonly decompressMsPerMib: number;
}

function orders(bytes: number): Buffer {
  let text = '';
  while (text.length < bytes) {
    text += JSON.stringify({
      orderId: randomUUID(),
      customerId: `cus_${randomInt(1_000_000)}`,
      amount: randomInt(100_000) / 100,
      currency: ['EUR', 'USD', 'GBP'][randomInt(3)],
      status: ['created', 'paid', 'shipped'][randomInt(3)],
      createdAt: new Date(1_700_000_000_000 + text.length).toISOString(),
      items: [{ sku: `sku-${randomInt(1_000)}`, quantity: 1 + randomInt(5) }],
    });
  }
  return Buffer.from(text.slice(0, bytes));
}

/** Milliseconds of CPU for one call. */
function cpuMs(turns: number, work: () => unknown): number {
  const runs = Array.from({ length: RUNS }, () => {
    const before = process.cpuUsage();
    for (let turn = 0; turn < turns; turn++) work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000 / turns;
  });
  return median(runs);
}

function measure(kind: string, bytes: Buffer, level: number): Row {
  const size = bytes.length;
  const turns = Math.min(MAX_TURNS, Math.ceil(BYTES_PER_RUN / size));
  const { ZSTD_c_compressionLevel: levelParameter } = zlib.constants;
  const settings = { params: { [levelParameter]: level }, pledgedSrcSize: size, chunkSize: size };
  const frame = zlib.zstdCompressSync(bytes, settings);
  const compressMs = cpuMs(turns, () => zlib.zstdCompressSync(bytes, settings));
  const decompressMs = cpuMs(turns, () => zlib.zstdDecompressSync(frame, { chunkSize: size + 1 }));
  const perMib = MIB / size;
  return {
    kind,
    size,
    level,
    ratio: frame.length / size,
    compressMs,
    compressMsPerMib: compressMs * perMib,
    decompressMsPerMib: decompressMs * perMib,
  };
}

const kinds = { orders: orders(MIB), random: randomBytes(MIB) };
for (const [kind, all] of Object.entries(kinds)) {
  for (const size of SIZES) {
    for (const level of LEVELS) {
      const row = measure(kind, all.subarray(0, size), level);
      process.stdout.write(
        options.json
          ? `${JSON.stringify(row)}\n`
          : `${kind} of ${size} bytes, level ${level}: to ${row.ratio.toFixed(3)}, ${row.compressMs.toFixed(2)} ms ` +
              `(${row.compressMsPerMib.toFixed(1)} ms/MiB), back ${row.decompressMsPerMib.toFixed(1)} ms/MiB\n`,
      );
    }
  }
}
