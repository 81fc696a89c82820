/** Anomalies of a group: each by a history that has exactly this one, and the nearest that has none. */
import { describe, expect, test } from 'vitest';
import { elect, HandMade, publish } from './hand-made.ts';
import { anomaliesOf, onlyAnomaly, outline } from './only-anomaly.ts';

const ACQUIRED = ['worker-1 acquire invoke', 'worker-1 acquire ok'];
const HEIR_ACQUIRED = ['worker-2 acquire invoke', 'worker-2 acquire ok'];

describe('epoch-skip', () => {
  test('a record is left out under one epoch', () => {
    const made = new HandMade();
    const owner = made.worker('worker-1').acquire(1, 0);
    owner.deliver(0);
    owner.deliver(2);
    const anomaly = onlyAnomaly(made, 'epoch-skip');
    expect(outline(anomaly)).toEqual([...ACQUIRED, 'worker-1 deliver invoke', 'worker-1 deliver invoke']);
    expect(anomaly.what).toBe(
      'under epoch 1 of orders/0 in group billing, 2 was delivered after 0 instead of 1',
    );
  });

  test('a record whose handler threw is left out', () => {
    const made = new HandMade();
    const owner = made.worker('worker-1').acquire(1, 0);
    owner.throws(owner.begin(0));
    owner.deliver(1);
    const anomaly = onlyAnomaly(made, 'epoch-skip');
    expect(outline(anomaly)).toEqual([
      ...ACQUIRED,
      'worker-1 deliver invoke',
      'worker-1 deliver fail',
      'worker-1 deliver invoke',
    ]);
  });

  test('a batch that failed in its middle goes on behind it', () => {
    const made = new HandMade();
    const owner = made.worker('worker-1').acquire(1, 0);
    const batch = [0, 1, 2].map((offset) => owner.begin(offset));
    owner.finish(batch[0]!);
    owner.throws(batch[1]!);
    owner.throws(batch[2]!);
    owner.begin(2);
    expect(onlyAnomaly(made, 'epoch-skip').what).toContain('2 was delivered after 1, whose handler threw');
  });

  test('not for retries, batches, dead letters and seeks', () => {
    const made = new HandMade();
    const owner = made.worker('worker-1').acquire(1, 0);
    owner.throws(owner.begin(0));
    owner.deliver(0);
    const batch = [1, 2, 3].map((offset) => owner.begin(offset));
    owner.finish(batch[0]!);
    owner.throws(batch[1]!);
    owner.throws(batch[2]!);
    for (const id of [2, 3].map((offset) => owner.begin(offset))) owner.finish(id);
    owner.throws(owner.begin(4));
    owner.deadLetter(4);
    owner.deliver(5);
    owner.seek(9);
    owner.deliver(9);
    owner.seek(2);
    // The worker has not taken the seek in yet.
    owner.deliver(10);
    owner.deliver(2);
    owner.deliver(3);
    expect(anomaliesOf(made)).toEqual([]);
  });

  test('not where a record is tried once', () => {
    const made = new HandMade();
    const owner = made.worker('worker-1').acquire(1, 0);
    owner.throws(owner.begin(0));
    owner.deliver(1);
    expect(anomaliesOf(made, { groups: { billing: { commitMode: 'at-most-once' } } })).toEqual([]);
  });
});

describe('nonmonotonic-poll', () => {
  test('a record that was finished comes again under one epoch', () => {
    const made = new HandMade();
    const owner = made.worker('worker-1').acquire(1, 0);
    owner.deliver(0);
    owner.deliver(1);
    owner.deliver(1);
    const anomaly = onlyAnomaly(made, 'nonmonotonic-poll');
    expect(outline(anomaly)).toEqual([...ACQUIRED, 'worker-1 deliver invoke', 'worker-1 deliver invoke']);
  });

  test('not under the next epoch', () => {
    const made = new HandMade();
    const worker = made.worker('worker-1');
    const owner = worker.acquire(1, 0);
    owner.deliver(0);
    owner.note('lost');
    worker.acquire(2, 0).deliver(0);
    expect(anomaliesOf(made)).toEqual([]);
  });
});

describe('handover-skip', () => {
  test('the first delivery is behind the committed offset', () => {
    const made = new HandMade();
    made.worker('worker-1').acquire(1, 3).deliver(4);
    const anomaly = onlyAnomaly(made, 'handover-skip');
    expect(outline(anomaly)).toEqual([...ACQUIRED, 'worker-1 deliver invoke']);
    expect(anomaly.what).toBe(
      'epoch 1 of orders/0 in group billing began at committed offset 3, and its first delivery is 4',
    );
  });

  test('the heir finds more committed than anybody asked for', () => {
    const made = new HandMade();
    const owner = made.worker('worker-1').acquire(1, 0);
    owner.deliverAll(0, 3);
    owner.commit(2);
    made.worker('worker-2').acquire(2, 3);
    const anomaly = onlyAnomaly(made, 'handover-skip');
    expect(outline(anomaly)).toEqual(['worker-1 commit invoke', ...HEIR_ACQUIRED]);
  });

  test('not when the commit was sent and nobody knew what became of it', () => {
    const made = new HandMade();
    const owner = made.worker('worker-1').acquire(1, 0);
    owner.deliverAll(0, 3);
    owner.commitUnknown(3);
    made.worker('worker-2').acquire(2, 3).deliver(3);
    expect(anomaliesOf(made)).toEqual([]);
  });
});

describe('excess-redelivery', () => {
  test('the first delivery is before the committed offset', () => {
    const made = new HandMade();
    made.worker('worker-1').acquire(1, 3).deliver(2);
    const anomaly = onlyAnomaly(made, 'excess-redelivery');
    expect(outline(anomaly)).toEqual([...ACQUIRED, 'worker-1 deliver invoke']);
  });

  function released(how: 'uncommitted' | 'commit lost' | 'overrun' | 'crash' | 'by hand'): HandMade {
    const made = new HandMade();
    const owner = made.worker('worker-1').acquire(1, 0);
    const id = owner.begin(0);
    if (how === 'overrun') owner.note('revoked');
    owner.finish(id);
    if (how === 'commit lost') owner.commitUnknown(1);
    if (how !== 'overrun') owner.note('revoked');
    if (how !== 'crash') owner.release();
    made.worker('worker-2').acquire(2, 0).deliver(0);
    return made;
  }

  test('finished, released in order, and not committed', () => {
    const anomaly = onlyAnomaly(released('uncommitted'), 'excess-redelivery');
    expect(outline(anomaly)).toEqual([
      ...ACQUIRED,
      'worker-1 deliver invoke',
      'worker-1 deliver ok',
      'worker-1 release invoke',
      'worker-1 release ok',
      ...HEIR_ACQUIRED,
    ]);
  });

  test('not when the commit was lost, the handler overran the drain, or the owner died', () => {
    expect(anomaliesOf(released('commit lost'))).toEqual([]);
    expect(anomaliesOf(released('overrun'))).toEqual([]);
    expect(anomaliesOf(released('crash'))).toEqual([]);
  });

  test('not where the application commits', () => {
    expect(anomaliesOf(released('by hand'), { groups: { billing: { autoCommit: false } } })).toEqual([]);
  });
});

describe('stale-commit-accepted', () => {
  function overtaken(status: string): HandMade {
    const made = new HandMade();
    const owner = made.worker('worker-1').acquire(1, 0);
    owner.deliver(0);
    made.worker('worker-2').acquire(2, 0);
    owner.commit(1, status);
    return made;
  }

  test('a newer owner had acquired the partition', () => {
    const anomaly = onlyAnomaly(overtaken('COMMITTED'), 'stale-commit-accepted', { alsoHas: [] });
    expect(outline(anomaly)).toEqual([...HEIR_ACQUIRED, 'worker-1 commit invoke', 'worker-1 commit ok']);
    expect(anomaly.what).toBe(
      'a commit of orders/0 in group billing was accepted under epoch 1, when worker-2 owned it under epoch 2',
    );
  });

  test('not when it was refused', () => {
    expect(anomaliesOf(overtaken('FENCED'))).toEqual([]);
  });

  test('not when it was sent before the newer owner had its answer', () => {
    const made = new HandMade();
    const owner = made.worker('worker-1').acquire(1, 0);
    owner.deliver(0);
    const { writer } = made.worker('worker-3');
    const id = writer.invoke('commit', { ...owner.fence, offset: 1 });
    made.worker('worker-2').acquire(2, 1);
    writer.ok('commit', id, { status: 'COMMITTED', committed: 1 });
    expect(anomaliesOf(made).map(({ name }) => name)).toEqual(['unowned-commit']);
  });

  /** A commit that is executed late: sent before the heir came, answered after the heir has committed `heirs`. */
  function late(answer: number, heirs: number): HandMade {
    const made = new HandMade();
    const worker = made.worker('worker-1');
    const owner = worker.acquire(1, 0);
    owner.deliver(0);
    const id = worker.writer.invoke('commit', { ...owner.fence, offset: 1 });
    const heir = made.worker('worker-2').acquire(2, 0);
    for (let offset = 0; offset < heirs; offset++) heir.deliver(offset);
    heir.commit(heirs);
    worker.writer.ok('commit', id, { status: 'COMMITTED', committed: answer });
    return made;
  }

  test('its answer shows what only the heir has committed', () => {
    const anomaly = onlyAnomaly(late(2, 2), 'stale-commit-accepted');
    expect(outline(anomaly)).toEqual([
      'worker-1 commit invoke',
      'worker-2 commit invoke',
      'worker-1 commit ok',
    ]);
  });

  test('not when its answer shows its own offset: it may have been executed before the heir came', () => {
    expect(anomaliesOf(late(1, 2))).toEqual([]);
  });

  test('another owner had been given the same epoch', () => {
    const made = new HandMade();
    const owner = made.worker('worker-1').acquire(1, 0);
    owner.deliver(0);
    made.worker('worker-2').acquire(1, 0);
    owner.commit(1);
    onlyAnomaly(made, 'stale-commit-accepted', { alsoHas: ['duplicate-epoch'] });
    expect(anomaliesOf(made)).toHaveLength(2);
  });

  test('its own epoch had been released', () => {
    const made = new HandMade();
    const owner = made.worker('worker-1').acquire(1, 0);
    owner.deliver(0);
    owner.release();
    owner.commit(1);
    const anomaly = onlyAnomaly(made, 'stale-commit-accepted');
    expect(outline(anomaly)).toEqual([
      ...ACQUIRED,
      'worker-1 release invoke',
      'worker-1 release ok',
      'worker-1 commit invoke',
      'worker-1 commit ok',
    ]);
  });

  test('not on the side of a split that is thrown away', () => {
    const made = new HandMade();
    const runner = made.runner();
    const owner = made.worker('worker-1').acquire(1, 0);
    owner.deliver(0);
    const id = runner.fault('partition', { mayLose: 'tail' });
    made.worker('worker-2').acquire(2, 0);
    owner.commit(1);
    runner.healed(id);
    expect(anomaliesOf(made)).toEqual([]);
  });
});

describe('unowned-commit', () => {
  test('accepted with a nonce that the epoch was not given to', () => {
    const made = new HandMade();
    const owner = made.worker('worker-1').acquire(1, 0);
    owner.deliver(0);
    const { writer } = made.worker('worker-2');
    const id = writer.invoke('commit', { ...owner.fence, nonce: 'another', offset: 1 });
    writer.ok('commit', id, { status: 'COMMITTED', committed: 1 });
    const anomaly = onlyAnomaly(made, 'unowned-commit');
    expect(outline(anomaly)).toEqual(['worker-2 commit invoke', 'worker-2 commit ok']);
  });
});

describe('commit-regression', () => {
  test('the heir finds less than was acknowledged', () => {
    const made = new HandMade();
    const owner = made.worker('worker-1').acquire(1, 0);
    owner.deliverAll(0, 3);
    owner.commit(3);
    made.worker('worker-2').acquire(2, 1);
    const anomaly = onlyAnomaly(made, 'commit-regression');
    expect(outline(anomaly)).toEqual(['worker-1 commit invoke', 'worker-1 commit ok', ...HEIR_ACQUIRED]);
    expect(anomaly.what).toBe('group billing had committed 3 of orders/0, and later it was 1');
  });

  test('a later commit is acknowledged with less', () => {
    const made = new HandMade();
    const owner = made.worker('worker-1').acquire(1, 0);
    owner.deliverAll(0, 3);
    owner.commit(3);
    owner.commit(2);
    expect(outline(onlyAnomaly(made, 'commit-regression'))).toHaveLength(4);
  });

  test('the last reading is less', () => {
    const made = new HandMade();
    const owner = made.worker('worker-1').acquire(1, 0);
    owner.deliverAll(0, 3);
    owner.commit(3);
    made.runner().committed(2);
    expect(onlyAnomaly(made, 'commit-regression').what).toContain('later it was 2');
  });

  test('not when a seek went back, also one without an answer', () => {
    const made = new HandMade();
    const owner = made.worker('worker-1').acquire(1, 0);
    owner.deliverAll(0, 3);
    owner.commit(3);
    owner.seek(1);
    owner.deliverAll(1, 3);
    owner.commit(2);
    const { writer } = made.worker('worker-1');
    writer.unknown('seek', writer.invoke('seek', { ...owner.fence, offset: 0 }));
    made.worker('worker-2').acquire(2, 0).deliver(0);
    expect(anomaliesOf(made)).toEqual([]);
  });

  test('but when it had gone forward again since', () => {
    const made = new HandMade();
    const owner = made.worker('worker-1').acquire(1, 0);
    owner.deliverAll(0, 3);
    owner.commit(3);
    owner.seek(1);
    owner.deliverAll(1, 3);
    owner.commit(2);
    made.worker('worker-2').acquire(2, 1);
    expect(onlyAnomaly(made, 'commit-regression').what).toContain('had committed 2');
  });

  test('not when the commit was unknown, or a failover came between', () => {
    const made = new HandMade();
    const runner = made.runner();
    const owner = made.worker('worker-1').acquire(1, 0);
    owner.deliverAll(0, 4);
    owner.commit(3);
    runner.healed(runner.fault('failover', { mayLose: 'tail' }));
    owner.commitUnknown(4);
    const heir = made.worker('worker-2').acquire(2, 1);
    heir.deliver(1);
    expect(anomaliesOf(made)).toEqual([]);
    heir.commit(2);
    made.worker('worker-3').acquire(3, 1);
    expect(onlyAnomaly(made, 'commit-regression').what).toContain('had committed 2');
  });
});

describe('commit-beyond-hw', () => {
  test('a commit beyond all that was ever in the log', () => {
    const made = new HandMade();
    made.producer().sendAll(1);
    const owner = made.worker('worker-1').acquire(1, 0);
    owner.deliver(0);
    owner.commit(5);
    made.runner().fullLog(1);
    const anomaly = onlyAnomaly(made, 'commit-beyond-hw', { alsoHas: ['commit-beyond-position'] });
    expect(outline(anomaly)).toEqual(['worker-1 commit invoke', 'worker-1 commit ok', 'runner final-log ok']);
  });

  test('an acquire finds more committed than there is', () => {
    const made = new HandMade();
    made.worker('worker-1').acquire(1, 5, { logEnd: 3 });
    const anomaly = onlyAnomaly(made, 'commit-beyond-hw');
    expect(outline(anomaly)).toEqual(ACQUIRED);
  });

  test('an acquire had to reset an offset beyond the end, and nothing was lost', () => {
    const made = new HandMade();
    made.worker('worker-1').acquire(1, 3, { logEnd: 3, reset: { from: 5 } });
    expect(onlyAnomaly(made, 'commit-beyond-hw').what).toBe(
      'worker-1 acquired orders/0 in group billing: committed 5, log end 3',
    );
  });

  test('the last readings', () => {
    const made = new HandMade();
    const runner = made.runner();
    runner.log([]);
    runner.committed(1);
    const anomaly = onlyAnomaly(made, 'commit-beyond-hw');
    expect(outline(anomaly)).toEqual(['runner final-log ok', 'runner final-committed ok']);
  });

  test('not when the log was longer before it lost its tail', () => {
    const made = new HandMade();
    const [producer, runner] = [made.producer(), made.runner()];
    producer.sendAll(2);
    const owner = made.worker('worker-1').acquire(1, 0);
    owner.deliverAll(0, 2);
    owner.commit(2);
    runner.healed(runner.fault('failover', { mayLose: 'tail' }));
    made.worker('worker-2').acquire(2, 1, { logEnd: 1, reset: { from: 2 } });
    runner.fullLog(1);
    runner.committed(1);
    expect(anomaliesOf(made)).toEqual([]);
  });
});

describe('commit-beyond-position', () => {
  test('committed before the handler has finished', () => {
    const made = new HandMade();
    const owner = made.worker('worker-1').acquire(1, 0);
    const id = owner.begin(0);
    owner.commit(1);
    owner.finish(id);
    const anomaly = onlyAnomaly(made, 'commit-beyond-position');
    expect(outline(anomaly)).toEqual([...ACQUIRED, 'worker-1 commit invoke']);
    expect(anomaly.what).toContain('had finished everything before 0 and not the record at 0');
  });

  test('a record between is not finished', () => {
    const made = new HandMade();
    const owner = made.worker('worker-1').acquire(1, 0);
    const [first, second] = [owner.begin(0), owner.begin(1)];
    owner.finish(second);
    owner.commit(2);
    owner.finish(first);
    expect(onlyAnomaly(made, 'commit-beyond-position').count).toBe(1);
  });

  test('not for what is finished or among the dead letters, nor after a seek', () => {
    const made = new HandMade();
    const owner = made.worker('worker-1').acquire(1, 0);
    owner.deliver(0);
    owner.throws(owner.begin(1));
    owner.deadLetter(1);
    owner.commit(2);
    owner.seek(7);
    owner.deliver(7);
    owner.commit(8);
    expect(anomaliesOf(made)).toEqual([]);
  });

  test('not where records are committed first, nor where the application commits what it was given', () => {
    const made = new HandMade();
    const owner = made.worker('worker-1').acquire(1, 0);
    const id = owner.begin(0);
    owner.commit(1);
    owner.finish(id);
    expect(anomaliesOf(made, { groups: { billing: { commitMode: 'at-most-once' } } })).toEqual([]);
    expect(anomaliesOf(made, { groups: { billing: { autoCommit: false } } })).toEqual([]);
  });
});

describe('duplicate-epoch', () => {
  test('two owners under one epoch', () => {
    const made = new HandMade();
    made.worker('worker-1').acquire(1, 0);
    made.worker('worker-2').acquire(1, 0);
    const anomaly = onlyAnomaly(made, 'duplicate-epoch');
    expect(outline(anomaly)).toEqual([...ACQUIRED, ...HEIR_ACQUIRED]);
  });

  test('not when the same call was made twice', () => {
    const made = new HandMade();
    const worker = made.worker('worker-1');
    worker.acquire(1, 0, { nonce: 'n' });
    worker.acquire(1, 0, { nonce: 'n' }).deliver(0);
    expect(anomaliesOf(made)).toEqual([]);
  });
});

describe('epoch-regression', () => {
  test('a later owner has a lower epoch', () => {
    const made = new HandMade();
    made.worker('worker-1').acquire(2, 0);
    made.worker('worker-2').acquire(1, 0);
    const anomaly = onlyAnomaly(made, 'epoch-regression');
    expect(outline(anomaly)).toEqual([...ACQUIRED, ...HEIR_ACQUIRED]);
  });

  test('not when the higher one was lost', () => {
    const made = new HandMade();
    const runner = made.runner();
    made.worker('worker-1').acquire(2, 0);
    runner.healed(runner.fault('failover', { mayLose: 'tail' }));
    made.worker('worker-2').acquire(1, 0);
    expect(anomaliesOf(made)).toEqual([]);
  });
});

describe('stale-publish-accepted', () => {
  function deposed(status: 'OK' | 'STALE', { isLost = false } = {}): HandMade {
    const made = new HandMade();
    const [first, second] = [made.worker('worker-1'), made.worker('worker-2')];
    elect(first, 'worker-1', 1);
    publish(first, 1, 'OK');
    elect(second, 'worker-2', 2);
    const runner = made.runner();
    if (isLost) runner.healed(runner.fault('failover', { mayLose: 'tail' }));
    publish(first, 1, status);
    return made;
  }

  test('accepted after the successor was elected', () => {
    const anomaly = onlyAnomaly(deposed('OK'), 'stale-publish-accepted');
    expect(outline(anomaly)).toEqual([
      'worker-2 elect invoke',
      'worker-2 elect ok',
      'worker-1 publish invoke',
      'worker-1 publish ok',
    ]);
  });

  test('not when it was refused, or a failover had taken the election back', () => {
    expect(anomaliesOf(deposed('STALE'))).toEqual([]);
    expect(anomaliesOf(deposed('OK', { isLost: true }))).toEqual([]);
  });
});

describe('zombie-start', () => {
  function zombie(starts: number, afterMs: number): HandMade {
    const made = new HandMade();
    const owner = made.worker('worker-1').acquire(1, 0);
    made.worker('worker-2').acquire(2, 0);
    made.pass(afterMs);
    owner.deliverAll(0, starts);
    return made;
  }

  test('started long after a newer owner', () => {
    const anomaly = onlyAnomaly(zombie(2, 500), 'zombie-start', { zombieGraceMs: 400 });
    expect(anomaly.count).toBe(1);
    expect(outline(anomaly)).toEqual([...HEIR_ACQUIRED, 'worker-1 deliver ok', 'worker-1 deliver invoke']);
  });

  test('not within the grace, and once by a process that slept over it', () => {
    expect(anomaliesOf(zombie(2, 300), { zombieGraceMs: 400 })).toEqual([]);
    expect(anomaliesOf(zombie(1, 500), { zombieGraceMs: 400 })).toEqual([]);
  });
});

describe('unowned-delivery', () => {
  test('under an epoch that was never acquired', () => {
    const made = new HandMade();
    const owner = made.worker('worker-1').acquire(1, 0);
    const { fence } = owner;
    const { writer } = made.worker('worker-2');
    writer.invoke('deliver', { ...fence, offset: 0, value: 'v0' });
    const anomaly = onlyAnomaly(made, 'unowned-delivery');
    expect(outline(anomaly)).toEqual(['worker-2 deliver invoke']);
    expect(anomaly.what).toBe(
      'worker-2 was given 0 of orders/0 in group billing under epoch 1, which it never acquired',
    );
  });

  test.each(['lost', 'revoked', 'release'] as const)('after its "%s"', (end) => {
    const made = new HandMade();
    const owner = made.worker('worker-1').acquire(1, 0);
    if (end === 'release') owner.release();
    else owner.note(end);
    owner.deliver(0);
    // Without the acquire or the end it would still be one.
    const anomaly = onlyAnomaly(made, 'unowned-delivery', { isMinimal: false });
    const type = end === 'release' ? 'invoke' : 'info';
    expect(outline(anomaly)).toEqual([...ACQUIRED, `worker-1 ${end} ${type}`, 'worker-1 deliver invoke']);
  });

  test('not when the handler began before and finished after', () => {
    const made = new HandMade();
    const owner = made.worker('worker-1').acquire(1, 0);
    owner.note('assigned');
    const id = owner.begin(0);
    owner.note('lost');
    owner.finish(id);
    expect(anomaliesOf(made)).toEqual([]);
  });
});
