/** How long a fault interrupts, and for whom. */
import { expect, test } from 'vitest';
import { checkHistory } from '@millrace/testkit';
import { HandMade } from './hand-made.ts';
import { anomaliesOf, onlyAnomaly, outline } from './only-anomaly.ts';

/** worker-1 owns the partition and has delivered 0 of two records when the fault hits it. */
function interrupted(heirAfterMs: number | null): HandMade {
  const made = new HandMade();
  made.producer().sendAll(2);
  const owner = made.worker('worker-1').acquire(1, 0);
  owner.deliver(0);
  made.runner().fault('SIGKILL', { target: 'worker-1', resumeBoundMs: 1_000 });
  made.pass(heirAfterMs ?? 5_000);
  if (heirAfterMs === null) made.runner().committed(0);
  else made.worker('worker-2').acquire(2, 0).deliver(0);
  return made;
}

test('a partition is resumed by the first delivery of its heir', () => {
  const { resumeMs, secondsUnowned, longestUnownedMs, anomalies, counts } = checkHistory(
    interrupted(500).events,
  );
  expect(anomalies).toEqual([]);
  // The two events of the acquire and the delivery itself are a millisecond each.
  expect(resumeMs).toEqual({ p50: 503, p99: 503, max: 503 });
  expect(secondsUnowned).toBe(0.502);
  expect(longestUnownedMs).toBe(502);
  expect(counts).toEqual({ acked: 2, delivered: 2, redelivered: 1 });
});

test('resume-latency: later than the bound', () => {
  const anomaly = onlyAnomaly(interrupted(1_000), 'resume-latency', { isMinimal: false });
  expect(outline(anomaly)).toEqual([
    'worker-1 acquire invoke',
    'worker-1 acquire ok',
    'runner fault invoke',
    'worker-2 acquire invoke',
    'worker-2 acquire ok',
    'worker-2 deliver invoke',
  ]);
  expect(anomaly.what).toBe(
    'after "SIGKILL" the next delivery of orders/0 in group billing took 1003 ms (bound 1000 ms)',
  );
});

test('resume-latency: never, although there was something left', () => {
  const anomaly = onlyAnomaly(interrupted(null), 'resume-latency');
  expect(outline(anomaly)).toEqual([
    'producer-1 send invoke',
    'producer-1 send ok',
    'worker-1 acquire invoke',
    'worker-1 acquire ok',
    'runner fault invoke',
    'runner final-committed ok',
  ]);
  expect(anomaly.what).toContain('did not come in 5001 ms');
});

test('a partition without anything left need not be resumed', () => {
  const made = new HandMade();
  made.producer().sendAll(1);
  made.worker('worker-1').acquire(1, 0).deliver(0);
  made.runner().fault('SIGKILL', { target: 'worker-1', resumeBoundMs: 1_000 });
  made.pass(5_000);
  made.runner().committed(0);
  expect(anomaliesOf(made)).toEqual([]);
  expect(checkHistory(made.events).resumeMs).toBeNull();
});

test('what comes later is waited for from then on', () => {
  const made = new HandMade();
  const producer = made.producer();
  made.worker('worker-1').acquire(1, 0);
  made.runner().fault('SIGKILL', { target: 'worker-1', resumeBoundMs: 1_000 });
  made.pass(5_000);
  producer.sendAll(1);
  made.worker('worker-2').acquire(2, 0).deliver(0);
  expect(anomaliesOf(made)).toEqual([]);
  expect(checkHistory(made.events).resumeMs?.max).toBe(3);
});

test('an owner that goes on after the fault was not interrupted', () => {
  const made = new HandMade();
  made.producer().sendAll(3);
  const runner = made.runner();
  const owner = made.worker('worker-1').acquire(1, 0);
  owner.deliver(0);
  const id = runner.fault('SIGSTOP', { target: 'worker-1', resumeBoundMs: 1_000 });
  made.pass(2_000);
  runner.healed(id);
  owner.deliver(1);
  owner.commit(2);
  owner.release();
  made.pass(2_000);
  made.worker('worker-2').acquire(2, 2).deliver(2);
  const verdict = checkHistory(made.events);
  expect(verdict.anomalies).toEqual([]);
  expect(verdict.resumeMs).toBeNull();
  expect(verdict.longestUnownedMs).toBe(2_002);
});

test('a fault of a server is over when it is healed', () => {
  const made = new HandMade();
  made.producer().sendAll(3);
  const runner = made.runner();
  const owner = made.worker('worker-1').acquire(1, 0);
  owner.deliver(0);
  const id = runner.fault('restart', { target: 'redis', resumeBoundMs: 1_000 });
  made.pass(3_000);
  runner.healed(id);
  made.pass(400);
  owner.deliver(1);
  const verdict = checkHistory(made.events, { isDrained: false });
  expect(verdict.anomalies).toEqual([]);
  expect(verdict.resumeMs?.max).toBe(401);
  expect(verdict.secondsUnowned).toBe(0);
});

test('percentiles are of all interrupted partitions', () => {
  const made = new HandMade();
  const runner = made.runner();
  for (let round = 1; round <= 4; round++) {
    made.worker(`worker-${round}`).acquire(round, 0).deliver(0);
    runner.fault('SIGKILL', { target: `worker-${round}` });
    made.pass(round * 100);
  }
  made.worker('worker-5').acquire(5, 0).deliver(0);
  expect(checkHistory(made.events).resumeMs).toEqual({ p50: 203, p99: 403, max: 403 });
});

test('a value that was sent twice cannot be judged', () => {
  const made = new HandMade();
  const producer = made.producer();
  producer.send('a', 0);
  producer.send('a', 1);
  expect(() => checkHistory(made.events)).toThrow('value "a" was sent to topic "orders" twice');
});
