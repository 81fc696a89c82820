import { describe, expect, test } from 'vitest';

import { parseCommandLine } from './options.ts';

const parse = (...args: string[]) => parseCommandLine(args, '/here');

test('the defaults', () => {
  expect(parse()).toEqual({
    kind: 'run',
    options: { source: { kind: 'own' }, workers: 4, partitions: 16, kill: 1, rate: undefined, json: false },
  });
});

test('everything given, after the dashes that pnpm may hand on', () => {
  expect(
    parse('--', '--repo', 'some/dir', '--workers=8', '--partitions=64', '--kill=3', '--rate=500', '--json'),
  ).toEqual({
    kind: 'run',
    options: {
      source: { kind: 'folder', directory: '/here/some/dir' },
      workers: 8,
      partitions: 64,
      kill: 3,
      rate: 500,
      json: true,
    },
  });
  expect(parse('--generate', '500')).toMatchObject({
    options: { source: { kind: 'generated', changes: 500 } },
  });
  expect(parse('--kill', '0', '--workers', '2')).toMatchObject({ options: { kill: 0, workers: 2 } });
  expect(parse('-h')).toEqual({ kind: 'help' });
});

describe('what cannot work is refused, by the name of the option', () => {
  test.for<readonly [string[], RegExp]>([
    [['--workers', '0'], /^--workers "0": give a whole number from 2 to 200$/],
    [['--workers', 'many'], /^--workers "many"/],
    [['--workers', '3.5'], /^--workers "3.5"/],
    [['--partitions', '0'], /^--partitions "0"/],
    [['--partitions', '1025'], /^--partitions "1025"/],
    [['--kill', '-1'], /kill/],
    [['--rate', '0'], /^--rate "0"/],
    [['--generate', '0'], /^--generate "0"/],
    [['--kill', '3'], /^--workers 4 --kill 3: .* give --workers 5 or more, or --kill 2 or fewer$/],
    [
      ['--workers', '2'],
      /^--workers 2 --kill 1: 1 is killed, .* give --workers 3 or more, or --kill 0 or fewer$/,
    ],
    [['--repo', '.', '--generate', '5'], /^--repo and --generate: give one of them$/],
    [['--repo', ''], /^--repo: name a folder$/],
    [['--worker', '5'], /--worker/],
    [['somewhere'], /somewhere/],
  ])('%j', ([args, message]) => {
    const parsed = parse(...args);
    expect(parsed.kind === 'invalid' ? parsed.message : parsed.kind).toMatch(message);
  });
});
