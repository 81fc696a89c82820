import { expect, test } from 'vitest';
import { duplicateTestNames, fullTestName, testPrefix } from './test-prefix.ts';
import type { TaskTree } from './test-prefix.ts';

const leaf = (name: string): TaskTree => ({ type: 'test', name });
const group = (name: string, ...tasks: TaskTree[]): TaskTree => ({ type: 'suite', name, tasks });

test('the prefix differs by file and by name and is the same in every run', () => {
  expect(testPrefix('a.test.ts', 'one')).toBe('t-1bc7ed89a0f2');
  expect(testPrefix('a.test.ts', 'two')).not.toBe(testPrefix('a.test.ts', 'one'));
  expect(testPrefix('b.test.ts', 'one')).not.toBe(testPrefix('a.test.ts', 'one'));
});

test('the full name holds the names of the suites', () => {
  expect(fullTestName({ name: 'test', suite: { name: 'inner', suite: { name: 'outer' } } })).toBe(
    'outer > inner > test',
  );
});

test('finds tests of one name in one suite, and not in two', () => {
  const file = group('f', leaf('a'), group('s', leaf('a'), leaf('b'), leaf('b')), group('t', leaf('b')));
  expect(duplicateTestNames(file)).toEqual(['s > b']);
  expect(duplicateTestNames(group('f', leaf('a'), leaf('a'), leaf('a')))).toEqual(['a']);
});
