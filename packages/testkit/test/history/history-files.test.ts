/** What is written is there after SIGKILL; what was torn by it does not make the rest unreadable. */
import { appendFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { openHistory, readHistories, startProcess } from '@millrace/testkit';
import { test } from '@millrace/testkit/vitest';

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-history-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

test('what was announced is there after SIGKILL', async () => {
  const directory = temporaryDirectory();
  await using owner = await startProcess({
    module: new URL('../processes/history-owner.ts', import.meta.url),
    args: [directory],
  });
  expect(await owner.exited).toEqual({ code: null, signal: 'SIGKILL' });

  expect(readHistories(directory)).toEqual([
    {
      i: 0,
      tMonoMs: expect.any(Number),
      tWallMs: expect.any(Number),
      proc: 'producer-1',
      incarnation: expect.any(String),
      type: 'invoke',
      f: 'send',
      id: 1,
      topic: 'orders',
      value: 'a',
      acks: 'memory',
    },
  ]);
});

test('histories are merged in the order in which things were done', () => {
  const directory = temporaryDirectory();
  const [one, other] = ['worker-1', 'worker-1'].map((proc) => openHistory({ directory, proc }));
  const id = one!.writer.invoke('commit', {
    group: 'g',
    topic: 't',
    p: 0,
    epoch: 7,
    nonce: 'n',
    offset: 3,
  });
  other!.writer.fact('lost', { group: 'g', topic: 't', p: 0, epoch: 6, reason: 'evicted' });
  one!.writer.unknown('commit', id, 'CONNECTION_LOST');
  const second = other!.writer.invoke('claim', { group: 'g', partitions: ['t/0'] });
  other!.writer.fail('claim', second);
  one!.close();
  other!.close();

  const events = readHistories(directory);
  expect(events.map(({ f, type, i }) => [f, type, i])).toEqual([
    ['commit', 'invoke', 0],
    ['lost', 'info', 0],
    ['commit', 'info', 1],
    ['claim', 'invoke', 1],
    ['claim', 'fail', 2],
  ]);
  expect(events[0]!.incarnation).not.toBe(events[1]!.incarnation);
  expect(events[2]).toMatchObject({ id, code: 'CONNECTION_LOST' });
});

test('a last line that was torn is left out; a damaged one before it is not', () => {
  const directory = temporaryDirectory();
  const file = openHistory({ directory, proc: 'worker-1' });
  file.writer.invoke('claim', { group: 'g', partitions: [] });
  file.close();
  appendFileSync(file.path, '{"i":1,"tMonoMs":12');
  expect(readHistories(directory).map(({ i }) => i)).toEqual([0]);

  appendFileSync(file.path, '\n');
  expect(() => readHistories(directory)).toThrow(`${file.path}:2 is not an event`);
});

test('files of other kinds beside the histories are left alone', () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'output.log'), 'no event\n');
  expect(readdirSync(directory)).toHaveLength(1);
  expect(readHistories(directory)).toEqual([]);
});
