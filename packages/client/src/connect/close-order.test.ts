import { expect, test } from 'vitest';
import { CloseOrder } from './close-order.ts';

test('producers are closed after the last consumer', async () => {
  const order = new CloseOrder();
  const log: string[] = [];
  let finish = (): void => {};
  order.add('producer', async () => void log.push('producer'));
  order.add('consumer', async () => void log.push('quick consumer'));
  order.add('consumer', () =>
    new Promise<void>((resolve) => (finish = resolve)).then(() => void log.push('slow consumer')),
  );
  const closing = order.closeAll();
  await Promise.resolve();
  expect(log).toEqual(['quick consumer']);
  finish();
  await closing;
  expect(log).toEqual(['quick consumer', 'slow consumer', 'producer']);
});

test('what was closed before is left out', async () => {
  const order = new CloseOrder();
  let closed = 0;
  const close = async (): Promise<void> => void closed++;
  const remove = order.add('consumer', close);
  order.add('consumer', close);
  remove();
  await order.closeAll();
  expect(closed).toBe(1);
});

test('a failure stops nothing and is told at the end', async () => {
  const order = new CloseOrder();
  let isProducerClosed = false;
  order.add('consumer', () => Promise.reject(new Error('first')));
  order.add('producer', async () => void (isProducerClosed = true));
  order.add('producer', () => Promise.reject(new Error('second')));
  await expect(order.closeAll()).rejects.toThrow('first');
  expect(isProducerClosed).toBe(true);
});
