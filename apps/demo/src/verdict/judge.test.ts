import { describe, expect, test } from 'vitest';

import type { Evidence, PartitionHistory, SinkEntry } from './evidence.ts';
import { judge } from './judge.ts';

const TREE = new Map([
  ['a', '100644 1111'],
  ['b', '100755 2222'],
]);

function applied(worker: string, epoch: number, offset: number, atMs = 0, appendedMs = 0): SinkEntry {
  return { type: 'applied', worker, epoch, offset, atMs, appendedMs };
}

function opened(worker: string, epoch: number, atMs = 0): SinkEntry {
  return { type: 'opened', worker, epoch, atMs };
}

function partition(logEnd: number, entries: readonly SinkEntry[], refused = 0): PartitionHistory {
  return { partition: 0, entries, refused, logEnd };
}

function evidence(history: PartitionHistory, rest: Partial<Evidence> = {}): Evidence {
  return {
    partitions: [history],
    kills: [],
    expectedTree: TREE,
    actualTree: new Map(TREE),
    acknowledged: history.logEnd,
    changes: history.logEnd,
    ...rest,
  };
}

const CLEAN = [
  opened('w1', 1),
  applied('w1', 1, 0),
  applied('w1', 1, 1),
  opened('w2', 2),
  applied('w2', 2, 2),
];

test('a clean run is clean', () => {
  expect(judge(evidence(partition(3, CLEAN)))).toEqual({
    lost: 0,
    redelivered: 0,
    outOfOrder: 0,
    refusedWrites: 0,
    treeMatches: true,
    complete: true,
    resumeMs: null,
    resumed: 0,
    standstillMs: 0,
    findings: [],
  });
});

describe('lost', () => {
  test('a record in the middle that nobody applied, which is also a step out of order', () => {
    const verdict = judge(evidence(partition(3, [applied('w1', 1, 0), applied('w1', 1, 2)])));
    expect(verdict).toMatchObject({ lost: 1, outOfOrder: 1, redelivered: 0 });
    expect(verdict.findings).toContain('partition 0: the record at offset 1 was never applied');
  });

  test('a record at the end, with nothing out of order', () => {
    expect(judge(evidence(partition(4, CLEAN)))).toMatchObject({ lost: 1, outOfOrder: 0 });
  });

  test('a partition that nobody touched', () => {
    expect(judge(evidence(partition(5, [])))).toMatchObject({ lost: 5, outOfOrder: 0 });
  });

  test('a record that a hand-over skipped', () => {
    const skipped = [applied('w1', 1, 0), applied('w2', 2, 2)];
    expect(judge(evidence(partition(3, skipped)))).toMatchObject({ lost: 1, outOfOrder: 1 });
  });

  test('a change that was acknowledged and is not in the log', () => {
    const verdict = judge(evidence(partition(3, CLEAN), { changes: 5, acknowledged: 5 }));
    expect(verdict).toMatchObject({ lost: 2, complete: false });
  });

  test('an offset beyond the log redeems no record', () => {
    const beyond = [applied('w1', 1, 0), applied('w1', 1, 1), applied('w1', 1, 2)];
    expect(judge(evidence(partition(2, beyond)))).toMatchObject({ lost: 0, outOfOrder: 1, redelivered: 0 });
  });
});

test('a record that the producer wrote twice makes the run incomplete', () => {
  const verdict = judge(evidence(partition(3, CLEAN), { changes: 2, acknowledged: 2 }));
  expect(verdict).toMatchObject({ lost: 0, complete: false });
});

describe('redelivered', () => {
  test('what an heir repeats from the last commit on is counted, and is in order', () => {
    const repeated = [...CLEAN, applied('w3', 3, 1), applied('w3', 3, 2), applied('w3', 3, 3)];
    expect(judge(evidence(partition(4, repeated)))).toMatchObject({ redelivered: 2, outOfOrder: 0, lost: 0 });
  });

  test('the same record twice under one epoch is out of order as well', () => {
    const twice = [applied('w1', 1, 0), applied('w1', 1, 0)];
    expect(judge(evidence(partition(1, twice)))).toMatchObject({ redelivered: 1, outOfOrder: 1, lost: 0 });
  });
});

describe('out of order', () => {
  test('two records swapped', () => {
    const swapped = [applied('w1', 1, 1), applied('w1', 1, 0)];
    // The epoch begins too far, and then goes back.
    expect(judge(evidence(partition(2, swapped)))).toMatchObject({ outOfOrder: 2, lost: 0, redelivered: 0 });
  });

  test('an epoch that comes back after a newer one', () => {
    const zombie = [applied('w1', 1, 0), applied('w2', 2, 1), applied('w1', 1, 1), applied('w2', 2, 2)];
    const verdict = judge(evidence(partition(3, zombie)));
    expect(verdict).toMatchObject({ outOfOrder: 1, lost: 0, redelivered: 1 });
    expect(verdict.findings).toEqual(['partition 0: w1 wrote under epoch 1 after epoch 2 had begun']);
  });

  test('two workers that share one epoch', () => {
    const shared = [applied('w1', 1, 0), applied('w2', 1, 1)];
    expect(judge(evidence(partition(2, shared)))).toMatchObject({ outOfOrder: 1, lost: 0 });
  });
});

test('writes that the sink refused are counted', () => {
  expect(judge(evidence(partition(3, CLEAN, 2)))).toMatchObject({ refusedWrites: 2, outOfOrder: 0 });
});

describe('tree', () => {
  const mismatches: readonly [string, [string, string][]][] = [
    ['an entry missing', [['a', '100644 1111']]],
    ['an entry too many', [...TREE, ['c', '100644 3333']]],
    [
      'another blob',
      [
        ['a', '100644 1111'],
        ['b', '100755 9999'],
      ],
    ],
    [
      'another mode',
      [
        ['a', '100644 1111'],
        ['b', '100644 2222'],
      ],
    ],
  ];

  test.for(mismatches)('%s does not match', ([, entries]) => {
    const verdict = judge(evidence(partition(3, CLEAN), { actualTree: new Map(entries) }));
    expect(verdict.treeMatches).toBe(false);
    expect(verdict.findings).toHaveLength(1);
  });
});

describe('resume', () => {
  const kills = [{ worker: 'w1', atMs: 100 }];

  test('runs from the kill to the first record that the heir handled', () => {
    const entries = [
      applied('w1', 1, 0, 90),
      opened('w2', 2, 300),
      applied('w2', 2, 1, 340, 80),
      applied('w2', 2, 2, 900, 95),
    ];
    expect(judge(evidence(partition(3, entries), { kills }))).toMatchObject({
      resumeMs: { p50: 240, max: 240 },
      resumed: 1,
    });
  });

  test('a write of the dead that lands after its death is not its heir', () => {
    const entries = [applied('w1', 1, 0, 90), applied('w1', 1, 1, 101, 80), applied('w2', 2, 2, 500, 80)];
    expect(judge(evidence(partition(3, entries), { kills })).resumeMs).toEqual({ p50: 400, max: 400 });
  });

  test('a record that came when the heir was ready has not waited', () => {
    const entries = [applied('w1', 1, 0, 90), opened('w2', 2, 300), applied('w2', 2, 1, 5003, 5000)];
    expect(judge(evidence(partition(2, entries), { kills }))).toMatchObject({ resumeMs: null, resumed: 0 });
  });

  test('a record that came while nobody owned the partition counts from the kill', () => {
    const entries = [applied('w1', 1, 0, 90), opened('w2', 2, 300), applied('w2', 2, 1, 302, 250)];
    expect(judge(evidence(partition(2, entries), { kills })).resumeMs).toEqual({ p50: 202, max: 202 });
  });

  test('partitions of other workers, and those given up before the kill, are left out', () => {
    const entries = [applied('w1', 1, 0, 50), opened('w2', 2, 60), applied('w2', 2, 1, 400, 80)];
    expect(judge(evidence(partition(2, entries), { kills })).resumeMs).toBeNull();
  });

  test('the median and the maximum are over all partitions of all kills', () => {
    const history = (number: number, waitMs: number): PartitionHistory => ({
      ...partition(2, [applied('w1', 1, 0, 90), applied('w2', 2, 1, 100 + waitMs, 80)]),
      partition: number,
    });
    const partitions = [history(0, 300), history(1, 100), history(2, 200), history(3, 900)];
    const verdict = judge(evidence(partition(0, []), { partitions, changes: 8, acknowledged: 8, kills }));
    expect(verdict).toMatchObject({ resumeMs: { p50: 250, max: 900 }, resumed: 4, lost: 0 });
  });
});

describe('standstill', () => {
  test('runs from one record to the next, or from when that one came', () => {
    const entries = [
      applied('w1', 1, 0, 100, 90),
      // Had been there all the time.
      applied('w2', 2, 1, 400, 80),
      // Came late, and was taken at once.
      applied('w2', 2, 2, 5003, 5000),
    ];
    expect(judge(evidence(partition(3, entries))).standstillMs).toBe(300);
  });

  test('the longest over all partitions, the first record included', () => {
    const partitions = [
      partition(1, [applied('w1', 1, 0, 100, 90)]),
      partition(1, [applied('w1', 1, 0, 800, 90)]),
    ];
    expect(judge(evidence(partition(0, []), { partitions, changes: 2, acknowledged: 2 })).standstillMs).toBe(
      710,
    );
  });
});
