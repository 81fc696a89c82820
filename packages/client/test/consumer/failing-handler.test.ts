import { describe, expect } from 'vitest';
import { eventually } from '@millrace/testkit';
import { HandlerError } from '../../src/index.ts';
import { at, offsetsOf, test, TOPIC, values } from './consumer-fixture.ts';

describe('a handler that throws', () => {
  test('is called again with the same record; the order stays', async ({ stage }) => {
    await stage.createTopic(1);
    await stage.sendBatch(0, ['a', 'secret', 'c']);
    const cause = new Error('database away');
    let failures = 0;
    const worker = await stage.worker({ retry: { initialBackoffMs: 1 } }, ({ record }) => {
      if (record.offset !== 1 || failures === 3) return;
      failures++;
      throw cause;
    });
    await stage.untilCommitted(0, 3);
    expect(offsetsOf(worker.delivered, 0)).toEqual([0, 1, 1, 1, 1, 2]);
    expect(worker.told.error).toMatchObject(
      [1, 2, 3].map((attempt) => ({
        code: 'HANDLER_FAILED',
        cause,
        details: { topic: TOPIC, partition: 0, offset: 1, attempt },
      })),
    );
    const [error] = worker.told.error;
    expect(error).toBeInstanceOf(HandlerError);
    expect(error?.message).toContain('orders/0 offset 1 (attempt 1): database away');
    expect(error?.message).not.toContain('secret');
  });

  test('what it throws need not be an error', async ({ stage }) => {
    await stage.createTopic(1);
    await stage.send(0, ['a']);
    const worker = await stage.worker({ retry: { initialBackoffMs: 1 } }, () => {
      if (worker.delivered.length > 1) return;
      // oxlint-disable-next-line typescript/only-throw-error -- users' code does
      throw 'text';
    });
    await worker.untilHandled(1);
    expect(worker.told.error).toMatchObject([{ code: 'HANDLER_FAILED', cause: 'text' }]);
  });

  test('too often halts its partition; others flow; resume tries again', async ({ stage }) => {
    await stage.createTopic(2);
    await stage.sendBatch(0, values('v', 3));
    let isMended = false;
    const worker = await stage.worker(
      { retry: { maxAttempts: 2, initialBackoffMs: 1 } },
      ({ record, partition }) => {
        if (partition === 0 && record.offset === 1 && !isMended) throw new Error('broken');
      },
    );
    await eventually(() => worker.codes.includes('PARTITION_HALTED'));
    expect(worker.codes).toEqual(['HANDLER_FAILED', 'HANDLER_FAILED', 'PARTITION_HALTED']);
    expect(worker.told.error.at(-1)).toMatchObject({
      cause: { message: 'broken' },
      details: { topic: TOPIC, partition: 0, offset: 1, attempts: 2 },
    });
    await stage.send(1, values('w', 3));
    await eventually(() => offsetsOf(worker.handled, 1).length === 3);
    expect(offsetsOf(worker.delivered, 0)).toEqual([0, 1, 1]);
    await stage.untilCommitted(0, 1);

    worker.consumer.resume([at(0, 0)]);
    await eventually(() => worker.codes.length === 6);
    expect(worker.codes.slice(3)).toEqual(['HANDLER_FAILED', 'HANDLER_FAILED', 'PARTITION_HALTED']);
    isMended = true;
    worker.consumer.resume([at(0, 0)]);
    await stage.untilCommitted(0, 3);
    expect(offsetsOf(worker.handled, 0)).toEqual([0, 1, 2]);
  });

  test('a halted partition can be sought past its record', async ({ stage }) => {
    await stage.createTopic(1);
    await stage.sendBatch(0, values('v', 3));
    const worker = await stage.worker({ retry: { maxAttempts: 1 } }, ({ record }) => {
      if (record.offset === 1) throw new Error('broken');
    });
    await eventually(() => worker.codes.includes('PARTITION_HALTED'));
    await worker.consumer.seek(at(0, 2));
    await stage.untilCommitted(0, 3);
    expect(offsetsOf(worker.handled, 0)).toEqual([0, 2]);
  });

  test('a halted partition goes to an heir with the record that failed', async ({ stage }) => {
    await stage.createTopic(1);
    await stage.sendBatch(0, values('v', 3));
    const worker = await stage.worker({ retry: { maxAttempts: 1 } }, ({ record }) => {
      if (record.offset === 1) throw new Error('broken');
    });
    await eventually(() => worker.codes.includes('PARTITION_HALTED'));
    await worker.close();
    const heir = await stage.worker();
    await heir.untilHandled(2);
    expect(offsetsOf(heir.delivered, 0)).toEqual([1, 2]);
  });

  test('does not delay the close by its backoff', async ({ stage }) => {
    await stage.createTopic(1);
    await stage.send(0, ['a']);
    const worker = await stage.worker(
      { retry: { initialBackoffMs: 3_600_000, maxBackoffMs: 3_600_000 } },
      () => {
        throw new Error('broken');
      },
    );
    await eventually(() => worker.codes.length === 1);
    await worker.close();
    expect(await stage.committed(0)).toBe(0);
    expect(worker.delivered).toHaveLength(1);
  });
});
