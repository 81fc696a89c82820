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
        if (kind === 'set') {
          queue.set(key, ms);
          expected.set(key, ms);
        } else if (kind === 'delete') {
          queue.delete(key);
          expected.delete(key);
        } else {
          const nextMs = Math.min(...expected.values());
          const taken = queue.take(ms);
          // Of several that are due at once, any.
          expect(taken === undefined ? undefined : expected.get(taken)).toBe(
            nextMs > ms ? undefined : nextMs,
          );
          if (taken !== undefined) expected.delete(taken);
        }
        expect(queue.nextMs).toBe(Math.min(...expected.values()));
      }
    }),
  );
});
