/** Anomalies of the log: each by a history that has exactly this one, and the nearest that has none. */
import { describe, expect, test } from 'vitest';
import { HandMade } from './hand-made.ts';
import { anomaliesOf, onlyAnomaly, outline } from './only-anomaly.ts';

describe('inconsistent-offsets', () => {
  test('two values at one offset, as two producers were told', () => {
    const made = new HandMade();
    const [one, other] = [made.producer('producer-1'), made.producer('producer-2')];
    const [a, b] = [one.begin('a'), other.begin('b')];
    one.acked(a, 0);
    other.acked(b, 0);
    const anomaly = onlyAnomaly(made, 'inconsistent-offsets');
    expect(outline(anomaly)).toEqual([
      'producer-1 send invoke',
      'producer-2 send invoke',
      'producer-1 send ok',
      'producer-2 send ok',
    ]);
    expect(anomaly.what).toBe('offset 0 of orders/0 holds "a" and "b"');
  });

  test('what a handler was given is not what was acknowledged', () => {
    const made = new HandMade();
    made.producer().send('a', 0);
    made.worker('worker-1').acquire(1, 0).deliver(0, 'other');
    const anomaly = onlyAnomaly(made, 'inconsistent-offsets');
    expect(outline(anomaly)).toEqual([
      'producer-1 send invoke',
      'producer-1 send ok',
      'worker-1 deliver invoke',
    ]);
  });

  test('not when the first was lost in between by a fault that may lose it', () => {
    const made = new HandMade();
    const [producer, runner] = [made.producer(), made.runner()];
    producer.send('a', 0);
    runner.healed(runner.fault('failover', { mayLose: 'tail' }));
    producer.truncated(1, 0);
    producer.send('b', 0);
    runner.log(['b']);
    expect(anomaliesOf(made)).toEqual([]);
  });

  test('but when both were written after the fault', () => {
    const made = new HandMade();
    const [producer, other, runner] = [made.producer(), made.producer('producer-2'), made.runner()];
    runner.healed(runner.fault('failover', { mayLose: 'tail' }));
    const [a, b] = [producer.begin('a'), other.begin('b')];
    producer.acked(a, 0);
    other.acked(b, 0);
    expect(onlyAnomaly(made, 'inconsistent-offsets').count).toBe(1);
  });
});

describe('duplicate', () => {
  test('one send at two offsets of the log', () => {
    const made = new HandMade();
    made.producer().send('a', 0);
    made.runner().log(['a', 'a']);
    const anomaly = onlyAnomaly(made, 'duplicate');
    expect(outline(anomaly)).toEqual(['runner final-log ok']);
    expect(anomaly.what).toBe('"a" was sent once and stands at orders/0 offset 0 and orders/0 offset 1');
  });

  test('one send in two partitions', () => {
    const made = new HandMade();
    const runner = made.runner();
    made.producer().send('a', 0);
    runner.log(['a']);
    runner.log(['a'], { p: 1 });
    expect(outline(onlyAnomaly(made, 'duplicate'))).toEqual(['runner final-log ok', 'runner final-log ok']);
  });

  test('not when its first copy was lost before the second was written', () => {
    const made = new HandMade();
    const [producer, runner, worker] = [made.producer(), made.runner(), made.worker('worker-1')];
    producer.send('x', 0);
    const id = producer.begin('a');
    const owner = worker.acquire(1, 0);
    owner.deliver(0, 'x');
    owner.deliver(1, 'a');
    runner.healed(runner.fault('failover', { mayLose: 'tail' }));
    owner.truncated(2, 0);
    producer.truncated(1, 0);
    producer.acked(id, 0);
    owner.note('lost');
    worker.acquire(2, 0).deliver(0, 'a');
    runner.log(['a']);
    expect(anomaliesOf(made)).toEqual([]);
  });
});

describe('gap', () => {
  test('an offset between others is missing', () => {
    const made = new HandMade();
    made.runner().logWithHole();
    const anomaly = onlyAnomaly(made, 'gap');
    expect(outline(anomaly)).toEqual(['runner final-log ok']);
    expect(anomaly.what).toBe('orders/0 has no records 1 to 1, but has 2 (it holds 0 to 2)');
  });

  test('the records end before the end', () => {
    const made = new HandMade();
    made.runner().log(['v0'], { logEnd: 2 });
    expect(onlyAnomaly(made, 'gap').what).toBe('the records of orders/0 end at 1, and its end says 2');
  });

  test('an entry was deleted', () => {
    const made = new HandMade();
    made.runner().damagedLog({ maxDeleted: '0-1' });
    expect(onlyAnomaly(made, 'gap').what).toBe('entry 0-1 was deleted from the stream of orders/0');
  });

  test('entries are missing that were added', () => {
    const made = new HandMade();
    made.runner().damagedLog({ entries: 1, entriesAdded: 2, maxDeleted: '0-0' });
    expect(onlyAnomaly(made, 'gap').what).toBe(
      '2 entries were added to the stream of orders/0 and 1 are there, untrimmed',
    );
  });

  test('not when the log was trimmed from its start', () => {
    const made = new HandMade();
    made.runner().log(['v7', 'v8'], { logStart: 7 });
    made.runner().damagedLog({ maxDeleted: '0-0', entries: 1, entriesAdded: 1 });
    expect(anomaliesOf(made, { isDrained: false })).toEqual([]);
  });
});

describe('nonmonotonic-send', () => {
  test('what was acknowledged before stands behind', () => {
    const made = new HandMade();
    const [one, other] = [made.producer('producer-1'), made.producer('producer-2')];
    one.send('a', 1);
    other.send('b', 0);
    const anomaly = onlyAnomaly(made, 'nonmonotonic-send');
    expect(outline(anomaly)).toEqual([
      'producer-1 send invoke',
      'producer-1 send ok',
      'producer-2 send invoke',
      'producer-2 send ok',
    ]);
  });

  test('two sends of one process and one key are in another order than they were made in', () => {
    const made = new HandMade();
    const producer = made.producer();
    const [a, b] = [producer.begin('a', { key: 'k' }), producer.begin('b', { key: 'k' })];
    producer.acked(b, 0);
    producer.acked(a, 1);
    expect(onlyAnomaly(made, 'nonmonotonic-send').count).toBe(1);
  });

  test('not when they overlapped, of two processes or two keys', () => {
    const made = new HandMade();
    const [one, other] = [made.producer('producer-1'), made.producer('producer-2')];
    const [a, b, c] = [
      one.begin('a', { key: 'k' }),
      other.begin('b', { key: 'k' }),
      one.begin('c', { key: 'l' }),
    ];
    other.acked(b, 0);
    one.acked(c, 1);
    one.acked(a, 2);
    expect(anomaliesOf(made)).toEqual([]);
  });

  test('not when the first was lost in between', () => {
    const made = new HandMade();
    const [producer, runner] = [made.producer(), made.runner()];
    producer.send('x', 0);
    producer.send('a', 1);
    runner.healed(runner.fault('failover', { mayLose: 'tail' }));
    producer.truncated(2, 0);
    producer.send('b', 0);
    runner.log(['b']);
    expect(anomaliesOf(made)).toEqual([]);
  });
});

describe('aborted-read', () => {
  test('a send that failed for certain is in the log', () => {
    const made = new HandMade();
    const producer = made.producer();
    producer.writer.fail('send', producer.begin('a'), 'RECORD_TOO_LARGE');
    made.worker('worker-1').acquire(1, 0).deliver(0, 'a');
    const anomaly = onlyAnomaly(made, 'aborted-read');
    expect(outline(anomaly)).toEqual([
      'producer-1 send invoke',
      'producer-1 send fail',
      'worker-1 deliver invoke',
    ]);
  });

  test('not when nobody knew what became of it, or its producer was killed', () => {
    const made = new HandMade();
    const producer = made.producer();
    producer.writer.unknown('send', producer.begin('a'), 'DELIVERY_TIMED_OUT');
    producer.begin('b');
    const owner = made.worker('worker-1').acquire(1, 0);
    owner.deliver(0, 'a');
    owner.deliver(1, 'b');
    made.runner().log(['a', 'b']);
    expect(anomaliesOf(made)).toEqual([]);
  });
});

describe('lost-write', () => {
  test('acknowledged and not in the log', () => {
    const made = new HandMade();
    const producer = made.producer();
    producer.sendAll(2);
    made.runner().log(['v0']);
    const anomaly = onlyAnomaly(made, 'lost-write');
    expect(outline(anomaly)).toEqual(['producer-1 send invoke', 'producer-1 send ok', 'runner final-log ok']);
    expect(anomaly.what).toBe('"v1" at 1 of orders/0 was acknowledged, and the log ends at 1 without it');
  });

  test('delivered and not in the log, whatever its producer heard', () => {
    const made = new HandMade();
    const producer = made.producer();
    producer.writer.unknown('send', producer.begin('a'));
    made.worker('worker-1').acquire(1, 0).deliver(0, 'a');
    made.runner().log([]);
    const anomaly = onlyAnomaly(made, 'lost-write');
    expect(outline(anomaly)).toEqual(['worker-1 deliver invoke', 'runner final-log ok']);
  });

  test('acknowledged, and everybody was given what stands behind it, but not it', () => {
    const made = new HandMade();
    made.producer().sendAll(2);
    const worker = made.worker('worker-1');
    worker.acquire(1, 0);
    worker.acquire(2, 0).deliver(1);
    const anomaly = onlyAnomaly(made, 'lost-write', { alsoHas: ['handover-skip'] });
    expect(outline(anomaly)).toEqual([
      'producer-1 send invoke',
      'producer-1 send ok',
      'worker-1 deliver invoke',
    ]);
  });

  test('a fault that takes the tail is no excuse for a record before one that stayed', () => {
    const made = new HandMade();
    const [producer, runner] = [made.producer(), made.runner()];
    producer.sendAll(3);
    runner.healed(runner.fault('failover', { mayLose: 'tail' }));
    runner.log(['v1', 'v2'], { logStart: 1 });
    runner.log(['v0', 'x', 'v2']);
    // The offset is taken by a record that nobody saw being written.
    const anomaly = onlyAnomaly(made, 'lost-write');
    expect(anomaly.what).toContain('"v1" at 1');
  });

  test('a fault that lost nothing is no excuse', () => {
    const made = new HandMade();
    const [producer, runner] = [made.producer(), made.runner()];
    producer.sendAll(1);
    runner.healed(runner.fault('kill', { mayLose: null }));
    runner.log([]);
    expect(onlyAnomaly(made, 'lost-write').count).toBe(1);
  });

  test('a loss before it was sent is no excuse', () => {
    const made = new HandMade();
    const [producer, runner] = [made.producer(), made.runner()];
    runner.healed(runner.fault('failover', { mayLose: 'everything' }));
    producer.sendAll(1);
    runner.log([]);
    expect(onlyAnomaly(made, 'lost-write').count).toBe(1);
  });

  test('not when nobody knew what became of it', () => {
    const made = new HandMade();
    const producer = made.producer();
    producer.writer.unknown('send', producer.begin('a'));
    made.runner().log([]);
    expect(anomaliesOf(made)).toEqual([]);
  });
});

describe('ack-class-loss', () => {
  test('acknowledged in a way that survives the fault, and gone with it', () => {
    const made = new HandMade();
    const [producer, runner] = [made.producer(), made.runner()];
    producer.send('a', 0, 'replicated');
    runner.healed(runner.fault('failover', { mayLose: 'tail', survivedBy: ['replicated', 'fsynced'] }));
    runner.log([]);
    const anomaly = onlyAnomaly(made, 'ack-class-loss');
    expect(outline(anomaly)).toEqual([
      'producer-1 send invoke',
      'producer-1 send ok',
      'runner fault invoke',
      'runner final-log ok',
    ]);
    expect(anomaly.what).toBe(
      '"a" at 0 of orders/0 was acknowledged as replicated, which survives "failover", and the log ends at 0 without it',
    );
  });

  test('not when it was acknowledged in a way that does not', () => {
    const made = new HandMade();
    const [producer, runner] = [made.producer(), made.runner()];
    producer.send('a', 0, 'memory');
    runner.healed(runner.fault('failover', { mayLose: 'tail', survivedBy: ['replicated', 'fsynced'] }));
    runner.log([]);
    expect(anomaliesOf(made)).toEqual([]);
  });
});

describe('truncation-silent', () => {
  function producerHistory(isTold: boolean): HandMade {
    const made = new HandMade();
    const [producer, runner] = [made.producer(), made.runner()];
    producer.send('a', 0);
    runner.healed(runner.fault('failover', { mayLose: 'tail' }));
    if (isTold) producer.truncated(1, 0);
    producer.send('b', 0);
    runner.log(['b']);
    return made;
  }

  test('a producer went on and was not told', () => {
    const anomaly = onlyAnomaly(producerHistory(false), 'truncation-silent');
    expect(outline(anomaly)).toEqual([
      'producer-1 send invoke',
      'producer-1 send ok',
      'runner fault invoke',
      'runner fault ok',
      'producer-1 send invoke',
      'producer-1 send ok',
      'runner final-log ok',
    ]);
  });

  test('not when it was told', () => expect(anomaliesOf(producerHistory(true))).toEqual([]));

  test('not when it did nothing afterwards', () => {
    const made = new HandMade();
    const [producer, runner] = [made.producer(), made.runner()];
    producer.send('a', 0);
    runner.healed(runner.fault('failover', { mayLose: 'tail' }));
    runner.log([]);
    expect(anomaliesOf(made)).toEqual([]);
  });

  function consumerHistory(end: 'goes on' | 'acquires again' | 'is killed' | 'is told'): HandMade {
    const made = new HandMade();
    const [producer, runner, worker] = [made.producer(), made.runner(), made.worker('worker-1')];
    producer.begin('a');
    const owner = worker.acquire(1, 0);
    owner.deliver(0, 'a');
    runner.healed(runner.fault('failover', { mayLose: 'tail' }));
    producer.begin('b');
    if (end === 'goes on') owner.deliver(1, 'b');
    if (end === 'is told') owner.truncated(1, 0);
    if (end === 'acquires again' || end === 'is told') {
      owner.note('lost');
      worker.acquire(2, 0).deliver(0, 'b');
    }
    if (end === 'is killed') made.worker('worker-2').acquire(2, 0).deliver(0, 'b');
    runner.log(end === 'goes on' ? ['x', 'b'] : ['b']);
    return made;
  }

  test('a consumer acquired the partition again and was not told', () => {
    const anomaly = onlyAnomaly(consumerHistory('acquires again'), 'truncation-silent');
    expect(outline(anomaly)).toEqual([
      'worker-1 acquire invoke',
      'worker-1 acquire ok',
      'worker-1 deliver invoke',
      'runner fault invoke',
      'runner fault ok',
      'worker-1 acquire invoke',
      'worker-1 acquire ok',
      'runner final-log ok',
    ]);
  });

  test('a consumer went on where it was and was not told', () => {
    const anomaly = onlyAnomaly(consumerHistory('goes on'), 'truncation-silent', { alsoHas: ['unseen'] });
    expect(outline(anomaly)).toContain('worker-1 deliver invoke');
  });

  test('not when the consumer was told', () => expect(anomaliesOf(consumerHistory('is told'))).toEqual([]));
  test('not when it was killed', () => expect(anomaliesOf(consumerHistory('is killed'))).toEqual([]));
});

describe('unseen', () => {
  test('the group is past a record that it never finished', () => {
    const made = new HandMade();
    const [producer, runner] = [made.producer(), made.runner()];
    producer.sendAll(1);
    runner.fullLog(1);
    runner.committed(1);
    const anomaly = onlyAnomaly(made, 'unseen');
    expect(outline(anomaly)).toEqual(['runner final-log ok', 'runner final-committed ok']);
    expect(anomaly.what).toBe('group billing has committed 1 and never finished "v0" at 0 of orders/0');
  });

  test('a handler that was killed in the middle has not finished it', () => {
    const made = new HandMade();
    made.producer().sendAll(1);
    const owner = made.worker('worker-1').acquire(1, 0);
    owner.begin(0);
    made.runner().fullLog(1);
    const anomaly = onlyAnomaly(made, 'unseen');
    expect(outline(anomaly)).toEqual([
      'worker-1 acquire invoke',
      'worker-1 acquire ok',
      'runner final-log ok',
    ]);
    expect(anomaliesOf(made, { isDrained: false })).toEqual([]);
  });

  test('trimmed before the group had seen it', () => {
    const made = new HandMade();
    made.producer().sendAll(2);
    made.worker('worker-1').acquire(1, 0);
    made
      .worker('worker-2')
      .acquire(2, 1, { reset: { from: 0 } })
      .deliver(1);
    made.runner().log(['v1'], { logStart: 1 });
    const anomaly = onlyAnomaly(made, 'unseen');
    expect(anomaly.what).toBe(
      'group billing never finished "v0" at 0 of orders/0, and was trimmed: the log begins at 1',
    );
  });

  test('not when the group began behind it, sought past it, or put it among the dead letters', () => {
    const made = new HandMade();
    made.producer().sendAll(6);
    const owner = made.worker('worker-1').acquire(1, 2, { reset: { from: null } });
    owner.deliver(2);
    owner.throws(owner.begin(3));
    owner.deadLetter(3);
    owner.seek(5);
    owner.deliver(5);
    owner.commit(6);
    const runner = made.runner();
    runner.fullLog(6);
    runner.committed(6);
    expect(anomaliesOf(made)).toEqual([]);
  });

  test('not where records are committed before they are processed', () => {
    const made = new HandMade();
    made.producer().sendAll(1);
    made.worker('worker-1').acquire(1, 0).commit(1);
    const runner = made.runner();
    runner.fullLog(1);
    runner.committed(1);
    expect(anomaliesOf(made, { groups: { billing: { commitMode: 'at-most-once' } } })).toEqual([]);
  });
});
