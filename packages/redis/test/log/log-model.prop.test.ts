/** The append script and XREAD against the model that the simulation runs on, on random sequences of batches. */
import { baseOffsetOf, readBatches, type AppendRequest } from '@millrace/redis';
import fc from 'fast-check';
import { expect } from 'vitest';
import { LogModel, type LogAppendResult } from '../group/model/log-model.ts';
import { appendRequest, test } from './log-fixture.ts';

const anyAppend = fc.record({
  producer: fc.constantFrom('one', 'two'),
  epoch: fc.constantFrom(1, 1, 1, 1, 2),
  /** Against the next sequence: mostly the next, else one that was sent before, or a gap. */
  shift: fc.constantFrom(0, 0, 0, 0, -1, -2, -7, 3),
  repeats: fc.constantFrom(false, false, true),
  count: fc.integer({ min: 1, max: 3 }),
});

let runs = 0;

test('batches get what the model says, and are read as it says', { timeout: 60_000 }, async ({ logs }) => {
  const { reader, log, topics } = logs;
  const sequences = fc.array(anyAppend, { minLength: 10, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(sequences, fc.nat(60), async (appends, from) => {
      const topic = `run-${++runs}`;
      await topics.create(topic, 1);
      const model = new LogModel();
      const next = new Map<string, number>();
      let last: AppendRequest | null = null;
      for (const { producer, epoch, shift, repeats, count } of appends) {
        const name = `${producer} ${epoch}`;
        const sequence = Math.max(0, (next.get(name) ?? 0) + shift);
        const values = Array.from({ length: count }, (_, index) => `${producer}-${sequence + index}`);
        const fresh = appendRequest({ topic, producerId: producer, producerEpoch: epoch, sequence, values });
        const request: AppendRequest = repeats && last !== null ? last : fresh;
        const real = await log.append(request);
        const timeMs = 'appendedMs' in real ? real.appendedMs : 0;
        const expected: LogAppendResult = model.append(request, timeMs);
        expect(real).toMatchObject(expected);
        if (expected.status === 'APPENDED') next.set(name, request.sequence + request.recordCount);
        last = request;
      }
      const position = { topic, partition: 0, offset: Math.min(from, model.end) };
      const batches = await readBatches(reader, [position], { maxEntries: 5 });
      const entries = model.read(position.offset, 5);
      expect(batches.map((batch) => [baseOffsetOf(batch), batch.nextOffset, batch.appendedMs])).toEqual(
        entries.map(({ nextOffset, count, appendedMs }) => [nextOffset - count, nextOffset, appendedMs]),
      );
    }),
    { numRuns: 40 },
  );
});
