import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RespScanner } from './resp-scanner.ts';

const line = fc.stringMatching(/^[a-zA-Z0-9 ._-]{0,20}$/);
const bulk = fc
  .uint8Array({ maxLength: 300 })
  .map((bytes) => Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')]));

/** Every form that a reply takes in RESP 2 and 3, nested. */
const { reply } = fc.letrec<{ reply: Buffer; aggregate: Buffer }>((tie) => ({
  reply: fc.oneof(
    { depthSize: 'small' },
    fc
      .tuple(fc.constantFrom('+', '-', ',', '('), line)
      .map(([type, text]) => Buffer.from(`${type}${text}\r\n`)),
    fc.integer().map((number) => Buffer.from(`:${number}\r\n`)),
    fc
      .constantFrom('$-1\r\n', '*-1\r\n', '_\r\n', '#t\r\n', '*0\r\n', '%0\r\n')
      .map((text) => Buffer.from(text)),
    bulk,
    bulk.map((value) => Buffer.concat([Buffer.from('='), value.subarray(1)])),
    tie('aggregate'),
  ),
  aggregate: fc.oneof(
    fc
      .tuple(fc.constantFrom('*', '~', '>'), fc.array(tie('reply'), { maxLength: 4 }))
      .map(([type, items]) => Buffer.concat([Buffer.from(`${type}${items.length}\r\n`), ...items])),
    fc
      .array(fc.tuple(tie('reply'), tie('reply')), { maxLength: 3 })
      .map((pairs) => Buffer.concat([Buffer.from(`%${pairs.length}\r\n`), ...pairs.flat()])),
    fc
      .tuple(tie('reply'), tie('reply'), tie('reply'))
      .map(([name, value, target]) => Buffer.concat([Buffer.from('|1\r\n'), name, value, target])),
  ),
}));

/** Feeds the stream in pieces cut at random and gives the ends of the values, from the start of the stream. */
function scan(
  scanner: RespScanner,
  stream: Buffer,
  cuts: readonly number[],
): { end: number; words: readonly string[] }[] {
  const borders = [...new Set([...cuts.map((cut) => cut % (stream.length + 1)), stream.length])].sort(
    (a, b) => a - b,
  );
  const found: { end: number; words: readonly string[] }[] = [];
  let start = 0;
  for (const border of borders) {
    for (const { end, words } of scanner.feed(stream.subarray(start, border)))
      found.push({ end: start + end, words });
    start = border;
  }
  return found;
}

function endsOf(values: readonly Buffer[]): number[] {
  let at = 0;
  return values.map((value) => (at += value.length));
}

test('the ends of replies are found however the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(reply, { minLength: 1, maxLength: 6 }),
      fc.array(fc.nat(), { maxLength: 8 }),
      (replies, cuts) => {
        const found = scan(new RespScanner('replies'), Buffer.concat(replies), cuts);
        expect(found.map(({ end }) => end)).toEqual(endsOf(replies));
      },
    ),
    { numRuns: 300 },
  );
});

test('commands give their first eight words, however the stream is cut', () => {
  const word = fc.string({ maxLength: 40 });
  const command = fc.array(word, { minLength: 1, maxLength: 12 });
  const encode = (words: readonly string[]): Buffer =>
    Buffer.from(
      `*${words.length}\r\n${words.map((text) => `$${Buffer.byteLength(text)}\r\n${text}\r\n`).join('')}`,
    );
  fc.assert(
    fc.property(
      fc.array(command, { maxLength: 5 }),
      fc.array(fc.nat(), { maxLength: 8 }),
      (commands, cuts) => {
        const found = scan(new RespScanner('commands'), Buffer.concat(commands.map(encode)), cuts);
        expect(found.map(({ words }) => words)).toEqual(commands.map((words) => words.slice(0, 8)));
      },
    ),
    { numRuns: 300 },
  );
});

test('long words are cut from the fifth on, and inline commands are words too', () => {
  const words = ['EVALSHA', 'd'.repeat(1_000), '1', 'k'.repeat(1_000), 'p'.repeat(1_000)];
  const encoded = Buffer.from(
    `*5\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}PING  now\r\n\r\n`,
  );
  const found = new RespScanner('commands').feed(encoded);
  expect(found.map(({ words }) => words)).toEqual([
    [...words.slice(0, 4), 'p'.repeat(256)],
    ['PING', 'now'],
  ]);
});

test.for(['HTTP/1.1 200 OK\r\n', '*x\r\n', 'x'.repeat(70_000)])('what is not RESP is refused: %#', (text) => {
  expect(() => new RespScanner('replies').feed(Buffer.from(text))).toThrow(/not RESP/);
});
