/** A process of one side, as the bench sees it: tasks are called by name and typed by the module that performs them. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProcess } from '@millrace/testkit';
import type { TaskCall, TaskReply, Tasks } from './task-server.ts';

export interface Side<T extends Tasks> extends AsyncDisposable {
  call<Name extends keyof T & string>(
    task: Name,
    ...args: Parameters<T[Name]>
  ): Promise<Awaited<ReturnType<T[Name]>>>;
  close(): Promise<void>;
}

/** No task of ours takes longer; a peer that hangs must not hang the bench. */
const TASK_TIMEOUT_MS = 120_000;

/**
 * Compiled modules are taken from a cache where they are in it: the compiler that takes the types out of this repository's
 * sources is 28 MiB of every process, and no user's, who run JavaScript, have it.
 */
const COMPILE_CACHE = join(tmpdir(), 'millrace-bench-compile-cache');

/** `module`: in this folder's neighbour `peers`, without the ending. */
export async function startSide<T extends Tasks>(module: string): Promise<Side<T>> {
  const child = await startProcess<TaskReply, TaskCall>({
    module: new URL(`../peers/${module}.ts`, import.meta.url),
    env: { NODE_ENV: 'production', NODE_COMPILE_CACHE: COMPILE_CACHE },
  });
  let calls = 0;
  const close = (): Promise<void> => child.stop();
  return {
    close,
    [Symbol.asyncDispose]: close,
    async call(task, ...args) {
      const id = ++calls;
      const from = child.messages.length;
      await child.send({ id, task, args: args[0] });
      const reply = await child.waitFor((message) => message.id === id, { timeoutMs: TASK_TIMEOUT_MS, from });
      if (reply.status === 'failed') throw new Error(`${module}, task "${task}": ${reply.message}`);
      return reply.result as never;
    },
  };
}
