import { expect } from 'vitest';
import { startProcess } from '@millrace/testkit';
import { test } from '@millrace/testkit/vitest';
import { isRunning } from './is-running.ts';

interface Echo {
  readonly echo: unknown;
  readonly args?: readonly string[];
  readonly setting?: string;
}

const startEcho = (settings: { args?: string[]; env?: Record<string, string> } = {}) =>
  startProcess<Echo>({ module: new URL('./processes/echo.ts', import.meta.url), ...settings });

test('passes messages both ways, values that JSON has no form for included', async () => {
  await using child = await startEcho({ args: ['one', 'two'], env: { SETTING: 'set' } });
  await child.send({ id: 5n, seen: new Map([['a', 1]]) });
  const answer = await child.waitFor((message) => message.echo !== 'ready');
  expect(answer).toEqual({
    echo: { id: 5n, seen: new Map([['a', 1]]) },
    args: ['one', 'two'],
    setting: 'set',
  });
  expect(child.messages).toHaveLength(2);
});

test('waitFor finds what came before it was called, unless told where to start', async () => {
  await using child = await startEcho();
  await child.waitFor((message) => message.echo === 'ready');
  await child.waitFor((message) => message.echo === 'ready');
  const from = child.messages.length;
  const next = child.waitFor(() => true, { from });
  await child.send('next');
  expect((await next).echo).toBe('next');
});

test('waitFor rejects with the output when the process ends first', async () => {
  await using child = await startEcho();
  await child.send('throw');
  await expect(child.waitFor((message) => message.echo === 'never')).rejects.toThrow(
    /ended with code 1 before the message came; 1 messages came[^]*told to throw/,
  );
  expect(await child.exited).toEqual({ code: 1, signal: null });
});

test('waitFor rejects when time is up', async () => {
  await using child = await startEcho();
  await expect(child.waitFor(() => false, { timeoutMs: 1 })).rejects.toThrow(
    /did not send the message within 1 ms/,
  );
});

test('a process that ends by itself reports its code', async () => {
  await using child = await startEcho();
  await child.send('end');
  expect(await child.exited).toEqual({ code: 0, signal: null });
  expect(child.output()).toBe('ready\n');
  await expect(child.signal('SIGTERM')).rejects.toThrow(/has ended/);
  await expect(child.send('late')).rejects.toThrow(/cannot send to process/);
});

test('a frozen process answers when it goes on', async () => {
  await using child = await startEcho();
  await child.waitFor((message) => message.echo === 'ready');
  await child.signal('SIGSTOP');
  await child.send('late');
  await expect(child.waitFor((message) => message.echo === 'late', { timeoutMs: 50 })).rejects.toThrow(
    /within 50 ms/,
  );
  await child.signal('SIGCONT');
  await child.waitFor((message) => message.echo === 'late');
});

test('stop kills a frozen process', async () => {
  const child = await startEcho();
  await child.signal('SIGSTOP');
  await child.stop();
  await child.stop();
  expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
  expect(isRunning(child.pid)).toBe(false);
});

test('a module that does not exist shows in exited', async () => {
  await using child = await startProcess({ module: '/nonexistent.ts' });
  expect((await child.exited).code).toBe(1);
  expect(child.output()).toMatch(/Cannot find module/);
});
