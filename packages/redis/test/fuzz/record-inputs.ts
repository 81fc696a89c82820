/** Records of every kind that a batch can hold: no key, no value, empty ones, text and bytes, any header name and time. */
import fc from 'fast-check';
import type { BytesInput, RecordInput } from '../../src/batch/batch-encoder.ts';
import { MAX_TIMESTAMP_MS } from '../../src/batch/batch-format.ts';

const bytesInput: fc.Arbitrary<BytesInput> = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.string({ maxLength: 200, unit: 'grapheme' }),
);
const nullable = fc.option(bytesInput, { nil: null });
const headerName = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('__proto__', 'constructor', 'toString', ''),
);

const recordInput: fc.Arbitrary<RecordInput> = fc.record(
  {
    key: nullable,
    value: nullable,
    timestampMs: fc.oneof(
      fc.integer({ min: 0, max: MAX_TIMESTAMP_MS }),
      fc.constantFrom(0, MAX_TIMESTAMP_MS),
    ),
    headers: fc.option(fc.dictionary(headerName, bytesInput, { maxKeys: 5 }), { nil: undefined }),
  },
  { requiredKeys: ['value', 'timestampMs'] },
);

export const recordInputs = fc.array(recordInput, { minLength: 1, maxLength: 20 });
