/** What a consumer is called with is checked before anything is done, so that plain JavaScript hears of its mistakes, too. */
import type { Consumer } from '../../src/index.ts';
import { expect } from 'vitest';
import { failure, test } from '../client-fixture.ts';

const calls: [string, (consumer: Consumer) => unknown, string][] = [
  ['run', (consumer) => consumer.run(undefined as never), 'run() takes one of the functions'],
  ['run', (consumer) => consumer.run(null as never), 'run() takes one of the functions'],
  ['run', (consumer) => consumer.run({ eachRecord: 5 } as never), 'run() takes one of the functions'],
  ['pause', (consumer) => consumer.pause('x' as never), 'pause: it takes a list of partitions'],
  ['pause', (consumer) => consumer.pause([{ topic: 't' }] as never), 'pause: a partition is'],
  ['resume', (consumer) => consumer.resume(undefined as never), 'resume: it takes a list of partitions'],
  ['commit', (consumer) => consumer.commit('x' as never), 'commit: it takes a list of partitions'],
  ['commit', (consumer) => consumer.commit([{ offset: 1 }] as never), 'commit: a partition is'],
  ['seek', (consumer) => consumer.seek(undefined as never), 'seek: a partition is'],
  ['on', (consumer) => consumer.on('foo' as never, () => {}), 'there is no consumer event "foo"'],
  ['on', (consumer) => consumer.on('error', 5 as never), 'must be a function, not 5'],
  ['off', (consumer) => consumer.off('losst' as never, () => {}), 'did you mean "lost"?'],
];

test('a call that cannot be meant is refused, and breaks nothing', async ({ millrace }) => {
  await millrace.admin.createTopic('orders', { partitions: 1 });
  const consumer = millrace.consumer({ group: 'billing', topics: ['orders'] });
  for (const [, call, message] of calls)
    expect(await failure((async () => call(consumer))())).toMatchObject({
      name: 'ConfigError',
      code: 'INVALID_OPTION',
      message: expect.stringContaining(message),
    });
  expect(consumer.paused()).toEqual([]);
  await consumer.run({ eachRecord: () => {} });
  await consumer.close();
  await millrace.admin.deleteGroup('billing');
});

test('what gives a promise rejects, and does not throw', async ({ millrace }) => {
  await using consumer = millrace.consumer({ group: 'billing', topics: ['orders'] });
  for (const [name, call] of calls)
    if (name === 'run' || name === 'commit' || name === 'seek')
      expect(await failure(call(consumer) as Promise<void>)).toMatchObject({ code: 'INVALID_OPTION' });
});
