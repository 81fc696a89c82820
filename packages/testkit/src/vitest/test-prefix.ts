/** A test's own corner of the shared Redis, named after the test: the same in every run, so that a failed one is found. */
import { createHash } from 'node:crypto';

/** The part of vitest's task tree that a test's name comes from. */
export interface NamedTask {
  readonly name: string;
  readonly suite?: NamedTask | undefined;
}

export interface TaskTree extends NamedTask {
  readonly type: 'suite' | 'test';
  readonly tasks?: readonly TaskTree[];
}

/** `suite > … > test`, without the file. */
export function fullTestName(task: NamedTask): string {
  const parts: string[] = [];
  for (let current: NamedTask | undefined = task; current !== undefined; current = current.suite) {
    parts.unshift(current.name);
  }
  return parts.join(' > ');
}

/** 48 bits: two of 10,000 tests share a prefix with a chance of 2 in 10 million. */
export function testPrefix(file: string, fullName: string): string {
  return `t-${createHash('sha256').update(`${file}\0${fullName}`).digest('hex').slice(0, 12)}`;
}

/** The names that occur more than once in the file: their tests would share a prefix. */
export function duplicateTestNames(file: TaskTree): readonly string[] {
  const seen = new Set<string>();
  const twice = new Set<string>();
  const visit = (task: TaskTree, path: readonly string[]): void => {
    if (task.type === 'test') {
      const name = [...path, task.name].join(' > ');
      if (seen.has(name)) twice.add(name);
      seen.add(name);
      return;
    }
    for (const child of task.tasks ?? []) visit(child, [...path, task.name]);
  };
  for (const task of file.tasks ?? []) visit(task, []);
  return [...twice];
}
