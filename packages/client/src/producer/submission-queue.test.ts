import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Submission } from './submission.ts';
import { SubmissionQueue } from './submission-queue.ts';

const submission = (number: number): Submission => ({ number }) as unknown as Submission;

test('is what an array that is pushed and shifted is', () => {
  const steps = fc.array(
    fc.record({
      step: fc.constantFrom('push', 'push', 'remove', 'takeAll'),
      times: fc.constantFrom(1, 2, 1_000, 3_000),
    }),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(steps, (script) => {
      const queue = new SubmissionQueue();
      const model: Submission[] = [];
      let count = 0;
      for (const { step, times } of script) {
        const [taken, expected] = step === 'takeAll' ? [queue.takeAll(), model.splice(0)] : [[], []];
        expect(taken).toEqual(expected);
        for (let time = 0; time < times; time++) {
          if (step === 'push') {
            const next = submission(count++);
            queue.push(next);
            model.push(next);
          } else {
            queue.removeFirst();
            model.shift();
          }
        }
        expect(queue.length).toBe(model.length);
        expect(queue.first).toBe(model[0]);
        expect(queue.last).toBe(model.at(-1));
        expect([...queue]).toEqual(model);
      }
    }),
    { numRuns: 50 },
  );
});
