import { describe, expect } from 'vitest';
import { eventually } from '@millrace/testkit';
import { at, failure, offsetsOf, test, values } from './consumer-fixture.ts';

describe('for await', () => {
  test('gives records in order; asking for the next says that the one before is processed', async ({
    stage,
  }) => {
    await stage.createTopic(1);
    await stage.sendBatch(0, values('v', 3));
    const { consumer } = await stage.member();
    const loop = consumer[Symbol.asyncIterator]();
    for (const offset of [0, 1, 2]) {
      const { value } = await loop.next();
      expect(value).toMatchObject({ partition: 0, offset });
      if (offset > 0) await stage.untilCommitted(0, offset);
      expect(await stage.committed(0)).toBe(offset);
    }
    const waiting = loop.next();
    await stage.untilCommitted(0, 3);
    await consumer.close();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(await loop.next()).toEqual({ done: true, value: undefined });
  });

  test('takes from all partitions, one record at a time', async ({ stage }) => {
    await stage.createTopic(3);
    for (const partition of [0, 1, 2]) await stage.sendBatch(partition, values('v', 4));
    const { consumer } = await stage.member();
    const seen: string[] = [];
    for await (const { partition, offset } of consumer) {
      seen.push(`${partition}:${offset}`);
      if (seen.length === 12) break;
    }
    for (const partition of [0, 1, 2]) {
      expect(seen.filter((place) => place.startsWith(`${partition}:`))).toEqual(
        [0, 1, 2, 3].map((offset) => `${partition}:${offset}`),
      );
    }
  });

  test('left by break delivers the record it was left with again', async ({ stage }) => {
    await stage.createTopic(1);
    await stage.sendBatch(0, values('v', 4));
    const first = await stage.member();
    for await (const { offset } of first.consumer) if (offset === 1) break;
    expect(first.consumer.assignment()).toEqual([]);
    expect(await stage.committed(0)).toBe(1);
    const heir = await stage.worker();
    await heir.untilHandled(3);
    expect(offsetsOf(heir.delivered, 0)).toEqual([1, 2, 3]);
  });

  test('left by an error closes the consumer and passes the error on', async ({ stage }) => {
    await stage.createTopic(1);
    await stage.sendBatch(0, values('v', 3));
    const { consumer } = await stage.member();
    const thrown = new Error('mine');
    const loop = (async () => {
      for await (const { offset } of consumer) if (offset === 2) throw thrown;
    })();
    expect(await failure(loop)).toBe(thrown);
    expect(await stage.committed(0)).toBe(2);
    expect(await failure(consumer.run({ eachRecord: () => {} }))).toMatchObject({ code: 'CLOSED' });
  });

  test('closed from outside lets the body finish its record, which is not delivered again', async ({
    stage,
  }) => {
    await stage.createTopic(1);
    await stage.sendBatch(0, values('v', 3));
    const member = await stage.member();
    const entered = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const seen: number[] = [];
    const loop = (async () => {
      for await (const { offset } of member.consumer) {
        seen.push(offset);
        entered.resolve();
        await gate.promise;
      }
    })();
    await entered.promise;
    const closing = member.close();
    await eventually(async () => {
      const { members } = await stage.millrace.admin.describeGroup('workers');
      return members.every(({ isLeaving }) => isLeaving);
    });
    gate.resolve();
    await Promise.all([closing, loop]);
    expect(seen).toEqual([0]);
    expect(await stage.committed(0)).toBe(1);
  });

  test('closed from outside does not wait for a body that is stuck longer than drainTimeoutMs', async ({
    stage,
  }) => {
    await stage.createTopic(1);
    await stage.sendBatch(0, values('v', 3));
    const member = await stage.member({ drainTimeoutMs: 50 });
    const loop = member.consumer[Symbol.asyncIterator]();
    await loop.next();
    await member.close();
    expect(await stage.committed(0)).toBe(0);
    // Too late to count: the record is somebody else's by now.
    expect(await loop.next()).toEqual({ done: true, value: undefined });
    expect(await stage.committed(0)).toBe(0);
  });

  test('hands over partitions whose record was not taken, while the body is at work', async ({ stage }) => {
    await stage.createTopic(4);
    for (const partition of [0, 1, 2, 3]) await stage.sendBatch(partition, values('v', 3));
    const first = await stage.member();
    const gate = Promise.withResolvers<void>();
    const seen: string[] = [];
    const loop = (async () => {
      for await (const { partition, offset } of first.consumer) {
        seen.push(`${partition}:${offset}`);
        await gate.promise;
      }
    })();
    await eventually(() => seen.length === 1);
    const second = await stage.worker();
    // At least one of the two that move was only offered.
    await second.untilHandled(3);
    expect(seen).toHaveLength(1);
    gate.resolve();
    for (const partition of [0, 1, 2, 3]) await stage.untilCommitted(partition, 3);
    await first.close();
    await loop;
    const all = [...seen, ...second.handled.map(({ partition, offset }) => `${partition}:${offset}`)];
    expect(all.sort()).toEqual(
      [0, 1, 2, 3].flatMap((partition) => [0, 1, 2].map((offset) => `${partition}:${offset}`)),
    );
  });

  test('an offered record is taken back by a pause and by a seek', async ({ stage }) => {
    await stage.createTopic(2);
    await stage.sendBatch(0, values('v', 4));
    const { consumer } = await stage.member();
    const loop = consumer[Symbol.asyncIterator]();
    expect((await loop.next()).value).toMatchObject({ partition: 0, offset: 0 });
    const taken = loop.next();
    expect((await taken).value).toMatchObject({ offset: 1 });
    // Partition 1 offers its record while the body has the one of partition 0.
    await stage.sendBatch(1, values('w', 4));
    await eventually(() => consumer.assignment().length === 2);
    consumer.pause([at(1, 0)]);
    expect((await loop.next()).value).toMatchObject({ partition: 0, offset: 2 });
    await consumer.seek(at(1, 2));
    consumer.resume([at(1, 0)]);
    const rest: string[] = [];
    for await (const { partition, offset } of consumer) {
      rest.push(`${partition}:${offset}`);
      if (rest.length === 3) break;
    }
    expect(rest.toSorted()).toEqual(['0:3', '1:2', '1:3']);
  });

  test('fails with what keeps the consumer from joining', async ({ stage }) => {
    const { consumer } = await stage.member({ topics: ['nowhere'] });
    const loop = consumer[Symbol.asyncIterator]();
    expect(await failure(loop.next())).toMatchObject({ code: 'UNKNOWN_TOPIC' });
    expect(await loop.next()).toEqual({ done: true, value: undefined });
  });
});
