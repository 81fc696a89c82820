/**
 * The child's end of a side: a process that does what the bench tells it to, one task at a time. Every side has its own
 * processes, so that what V8 has learnt from the code of one, and what is on its heap, is not paid for by another.
 */

import { flushCompileCache } from 'node:module';

/** By name. One argument, one result, both of what structured clone can carry. */
export type Tasks = Readonly<Record<string, (args: never) => unknown>>;

export interface TaskCall {
  readonly id: number;
  readonly task: string;
  readonly args: unknown;
}

export type TaskReply =
  | { readonly id: number; readonly status: 'done'; readonly result: unknown }
  | { readonly id: number; readonly status: 'failed'; readonly message: string };

export function serveTasks(tasks: Tasks): void {
  process.on('message', (call: TaskCall) => void run(tasks, call));
  process.once('disconnect', () => process.exit(0));
}

async function run(tasks: Tasks, { id, task, args }: TaskCall): Promise<void> {
  let reply: TaskReply;
  try {
    const perform = tasks[task];
    if (perform === undefined) throw new Error(`there is no task "${task}"`);
    reply = { id, status: 'done', result: await perform(args as never) };
  } catch (error) {
    reply = { id, status: 'failed', message: error instanceof Error ? describe(error) : String(error) };
  }
  process.send?.(reply);
  // Sides are killed, not ended: nobody else would write it.
  flushCompileCache();
}

function describe({ message, stack = '', cause }: Error): string {
  const own = stack.includes(message) ? stack : `${message}\n${stack}`;
  return cause instanceof Error ? `${own}\ncaused by ${describe(cause)}` : own;
}
