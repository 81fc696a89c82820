/** It takes the place of the driver's own command in the driver: what that reads, calls and replaces has to be there. */
import { Command } from 'ioredis';
import { expect, test } from 'vitest';
import { MethodCommand } from './method-command.ts';

const script = ['digest', 1, 'key', 7, Buffer.from([0xff]), ''] as const;

test('the bytes and the keys are those of the driver', () => {
  const [own, drivers] = [MethodCommand, Command].map((kind) => new kind('evalsha', [...script]));
  expect(own?.toWritable({})).toEqual(drivers?.toWritable({}));
  expect(own?.getKeys()).toEqual(['key']);
});

test('it has every property of the driver, but for the closures', () => {
  const [own, drivers] = [MethodCommand, Command].map((kind) => new kind('evalsha', [...script]));
  const replaced = new Set(['resolve', 'reject']);
  expect(Object.keys(own ?? {})).toEqual(
    expect.arrayContaining(Object.keys(drivers ?? {}).filter((name) => !replaced.has(name))),
  );
  const stored = (command: object | undefined): string[] =>
    Object.keys(command ?? {}).filter((name) => replaced.has(name));
  expect([stored(drivers), stored(own)]).toEqual([['resolve', 'reject'], []]);
});

test('a reply is decoded as it was asked for', async () => {
  const text = new MethodCommand('get', ['key'], { replyEncoding: 'utf8' });
  text.resolve([Buffer.from('käse'), 1, null]);
  expect(await text.promise).toEqual(['käse', 1, null]);
  const bytes = new MethodCommand('get', ['key']);
  bytes.resolve(Buffer.from([0xff]));
  expect(await bytes.promise).toEqual(Buffer.from([0xff]));
});

test('what fails fails the promise, once', async () => {
  const command = new MethodCommand('get', ['key']);
  command.reject(new Error('first'));
  command.reject(new Error('second'));
  command.resolve('late');
  await expect(command.promise).rejects.toThrow('first');
});

test('whether it was settled, and how, is there to be read', async () => {
  const state = ({ isSettled, isResolved }: MethodCommand): boolean[] => [isSettled, isResolved];
  const [answered, failed] = [new MethodCommand('get', ['a']), new MethodCommand('get', ['b'])];
  expect(state(answered)).toEqual([false, false]);
  answered.resolve('x');
  failed.reject(new Error('refused'));
  expect([state(answered), state(failed)]).toEqual([
    [true, true],
    [true, false],
  ]);
  await expect(failed.promise).rejects.toThrow('refused');
});

test('a reply that cannot be decoded fails it, and leaves nobody waiting', async () => {
  const command = new MethodCommand('get', ['key']);
  command.transformReply = () => {
    throw new TypeError('not a reply');
  };
  command.resolve('x');
  await expect(command.promise).rejects.toThrow('not a reply');
  expect([command.isSettled, command.isResolved]).toEqual([true, false]);
});

test("a cluster's client puts a reject of its own before it, and may call what was there", async () => {
  const command = new MethodCommand('get', ['key']);
  const { reject } = command;
  command.reject = (error) => reject.call(command, new Error(`moved: ${error.message}`));
  command.reject(new Error('asked elsewhere'));
  await expect(command.promise).rejects.toThrow('moved: asked elsewhere');
});

test('once it is settled, no timer is left that would keep the process', async () => {
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const [answered, failed] = [new MethodCommand('get', ['a']), new MethodCommand('get', ['b'])];
  answered.setTimeout(60_000);
  failed.setTimeout(60_000);
  expect(timers()).toBe(before + 2);
  answered.resolve('x');
  failed.reject(new Error('refused'));
  expect(timers()).toBe(before);
  expect(await answered.promise).toBe('x');
  await expect(failed.promise).rejects.toThrow('refused');
});
