import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DueQueue } from './due-queue.ts';

test('gives what a sorted list gives, whatever is set, moved and deleted', () => {
  const step = fc.record({
    kind: fc.constantFrom('set', 'set', 'set', 'delete', 'take'),
    key: fc.nat(12),
    ms: fc.nat(50),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const queue = new DueQueue<number>();
      const expected = new Map<number, number>();
      for (const { kind, key, ms } of steps) {
        const nextMs = Math.min(...expected.values());
        let [takenMs, dueMs]: [number | undefined, number | undefined] = [undefined, undefined];
        if (kind === 'set') {
          queue.set(key, ms);
          expected.set(key, ms);
        } else if (kind === 'delete') {
          queue.delete(key);
          expected.delete(key);
        } else {
          // Of several that are due at once, any.
          const taken = queue.take(ms);
          takenMs = taken === undefined ? undefined : expected.get(taken);
          dueMs = nextMs > ms ? undefined : nextMs;
          if (taken !== undefined) expected.delete(taken);
        }
        expect(takenMs).toBe(dueMs);
        expect(queue.nextMs).toBe(Math.min(...expected.values()));
      }
    }),
  );
});
