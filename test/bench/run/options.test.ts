import { expect, test } from 'vitest';
import { parseCommand } from './options.ts';

const IDS = ['send', 'latency'];

test('defaults: every row and peer, five rounds', () => {
  expect(parseCommand([], IDS)).toEqual({
    kind: 'run',
    options: {
      only: IDS,
      peers: new Set(['ioredis', 'bullmq', 'nats']),
      rounds: 5,
      scale: 1,
      json: false,
      reportOnly: false,
    },
  });
});

test('what is asked for', () => {
  const command = parseCommand(['--only', 'latency', '--peers', 'nats', '--rounds', '7', '--json'], IDS);
  expect(command).toMatchObject({
    options: { only: ['latency'], peers: new Set(['nats']), rounds: 7, json: true },
  });
  expect(parseCommand(['--write', 'a.json'], IDS)).toEqual({ kind: 'write', files: ['a.json'] });
});

test.each([
  [['--only', 'sned'], 'sned'],
  [['--peers', 'kafka'], 'kafka'],
  [['--rounds', '0'], '--rounds'],
  [['--rounds', 'x'], '--rounds'],
  [['--scale', '0'], '--scale'],
  [['--fast'], '--fast'],
  [['latency'], 'latency'],
  [['--write'], '--write'],
])('%j is refused', (args, named) => {
  expect(parseCommand(args, IDS)).toMatchObject({ kind: 'refused', why: expect.stringContaining(named) });
});
