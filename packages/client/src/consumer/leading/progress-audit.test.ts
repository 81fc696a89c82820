import { partitionKey } from '@millrace/core';
import { describe, expect, test } from 'vitest';
import { ProgressAudit } from './progress-audit.ts';

const orders = partitionKey('orders', 0);

describe('ProgressAudit', () => {
  test('tells of a partition that stands still with records waiting, once', () => {
    const audit = new ProgressAudit(1_000);
    expect(audit.note(orders, { committed: 5, logEnd: 9 }, 0)).toBeNull();
    expect(audit.note(orders, { committed: 5, logEnd: 9 }, 999)).toBeNull();
    expect(audit.note(orders, { committed: 5, logEnd: 12 }, 1_000)).toEqual({
      partition: orders,
      committed: 5,
      logEnd: 12,
      forMs: 1_000,
    });
    expect(audit.note(orders, { committed: 5, logEnd: 12 }, 5_000)).toBeNull();
  });

  test.each([
    ['moves', { committed: 6, logEnd: 9 }],
    ['has caught up', { committed: 9, logEnd: 9 }],
    ['is gone', null],
  ])('starts anew for a partition that %s', (_, progress) => {
    const audit = new ProgressAudit(1_000);
    audit.note(orders, { committed: 5, logEnd: 9 }, 0);
    expect(audit.note(orders, progress, 500)).toBeNull();
    audit.note(orders, { committed: 6, logEnd: 9 }, 600);
    expect(audit.note(orders, { committed: 6, logEnd: 9 }, 1_400)).toBeNull();
    expect(audit.note(orders, { committed: 6, logEnd: 9 }, 1_600)).not.toBeNull();
  });

  test('comes by every partition in turn, whatever their number', () => {
    for (const size of [1, 3, 4, 10]) {
      const audit = new ProgressAudit(1_000);
      const partitions = Array.from({ length: size }, (_, partition) => partitionKey('orders', partition));
      const seen = new Map<string, number>();
      for (let look = 0; look < size * 3; look++) {
        const turn = audit.next(partitions, 4);
        expect(new Set(turn).size).toBe(Math.min(4, size));
        for (const key of turn) seen.set(key, (seen.get(key) ?? 0) + 1);
      }
      expect([...seen.keys()].sort()).toEqual([...partitions].sort());
      expect(Math.max(...seen.values()) - Math.min(...seen.values())).toBeLessThanOrEqual(1);
    }
    expect(new ProgressAudit(1_000).next([], 4)).toEqual([]);
  });
});
