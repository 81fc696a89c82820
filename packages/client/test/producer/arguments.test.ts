/** What a producer is called with is checked before anything is sent, so that plain JavaScript hears of its mistakes, too. */
import { expect } from 'vitest';
import { failure, test } from '../client-fixture.ts';

test('a topic that is none and records in no list are refused', async ({ millrace }) => {
  await millrace.admin.createTopic('orders', { partitions: 1 });
  await using producer = millrace.producer();
  const record = { value: 'v' };
  for (const topic of [undefined, null, 5, {}, { name: 'orders' }])
    for (const sending of [
      producer.send(topic as never, record),
      producer.sendBatch(topic as never, [record]),
    ])
      expect(await failure(sending)).toMatchObject({
        code: 'INVALID_OPTION',
        message: expect.stringContaining('a topic is its name'),
      });
  for (const records of [undefined, null, record])
    expect(await failure(producer.sendBatch('orders', records as never))).toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining('sendBatch takes a list of records'),
    });
  expect((await millrace.admin.describeTopic('orders')).partitions).toMatchObject([{ logEnd: 0 }]);
  expect(() => producer.on('error' as never, () => {})).toThrow('there is no producer event "error"');
  expect(() => producer.on('logTruncated', 5 as never)).toThrow('must be a function, not 5');
});
