import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MalformedReplyError, ReplyError } from './reply-error.ts';
import { ReplyParser, type Reply } from './reply-parser.ts';

/** All that comes of these pieces, in one list. */
function parse(pieces: readonly (string | Buffer)[]): Reply[] {
  const replies: Reply[] = [];
  const parser = new ReplyParser((reply) => replies.push(reply));
  for (const piece of pieces) parser.write(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece);
  return replies;
}

/** Comparable: the bytes of strings, whatever memory they lie in. */
function plain(reply: Reply): unknown {
  if (reply instanceof Buffer) return reply.toString('latin1');
  if (reply instanceof ReplyError) return { error: reply.message };
  return Array.isArray(reply) ? reply.map((item: Reply) => plain(item)) : reply;
}

interface Written {
  readonly bytes: Buffer;
  readonly value: unknown;
}

function text(value: string): Buffer {
  return Buffer.from(value, 'latin1');
}

const anyBytes = fc
  .oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.uint8Array({ minLength: 1_000, maxLength: 3_000 }),
    fc.constant(text('\r\n$5\r\n')),
  )
  .map((bytes) => Buffer.from(bytes));
const anyLine = fc.stringMatching(/^[ -~]{0,30}$/);

const anyLeaf: fc.Arbitrary<Written> = fc.oneof(
  anyBytes.map((bytes) => ({
    bytes: Buffer.concat([text(`$${bytes.length}\r\n`), bytes, text('\r\n')]),
    value: bytes.toString('latin1'),
  })),
  anyBytes.map((bytes) => ({
    bytes: Buffer.concat([text(`=${bytes.length + 4}\r\ntxt:`), bytes, text('\r\n')]),
    value: bytes.toString('latin1'),
  })),
  fc.integer().map((value) => ({ bytes: text(`:${value}\r\n`), value })),
  fc.constantFrom('_\r\n', '$-1\r\n', '*-1\r\n').map((line) => ({ bytes: text(line), value: null })),
  anyLine.map((value) => ({ bytes: text(`+${value}\r\n`), value })),
  anyLine.map((value) => ({ bytes: text(`-${value}\r\n`), value: { error: value } })),
);

function listOf(items: readonly Written[], head: string): Written {
  return {
    bytes: Buffer.concat([text(head), ...items.map(({ bytes }) => bytes)]),
    value: items.map(({ value }) => value),
  };
}

const { reply: anyReply } = fc.letrec<{ reply: Written; list: Written; map: Written }>((tie) => ({
  reply: fc.oneof({ maxDepth: 5, withCrossShrink: true }, anyLeaf, tie('list'), tie('map')),
  list: fc.array(tie('reply'), { maxLength: 4 }).map((items) => listOf(items, `*${items.length}\r\n`)),
  map: fc
    .array(fc.tuple(tie('reply'), tie('reply')), { maxLength: 3 })
    .map((pairs) => listOf(pairs.flat(), `%${pairs.length}\r\n`)),
}));

/** Cuts bytes at these places, which are taken modulo their length. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [...new Set(places.map((place) => place % (bytes.length + 1)))].toSorted((a, b) => a - b);
  return [...sorted, bytes.length].map((end, index) => bytes.subarray(sorted[index - 1] ?? 0, end));
}

describe('a reply is the same, however it is cut', () => {
  test('anything that Redis may say', () => {
    const property = fc.property(
      fc.array(anyReply, { minLength: 1, maxLength: 4 }),
      fc.array(fc.nat(), { maxLength: 30 }),
      (replies, places) => {
        const bytes = Buffer.concat(replies.map((reply) => reply.bytes));
        const wanted = replies.map(({ value }) => value);
        expect(parse([bytes]).map(plain)).toEqual(wanted);
        expect(parse(cut(bytes, places)).map(plain)).toEqual(wanted);
      },
    );
    fc.assert(property, { numRuns: 300 });
  });

  test('byte by byte', () => {
    const property = fc.property(anyReply, ({ bytes, value }) => {
      const pieces = Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));
      expect(parse(pieces).map(plain)).toEqual([value]);
    });
    fc.assert(property, { numRuns: 50 });
  });

  test('and so is what is no reply', () => {
    const outcome = (pieces: readonly Buffer[]): unknown => {
      const replies: Reply[] = [];
      const parser = new ReplyParser((reply) => replies.push(reply));
      try {
        for (const piece of pieces) parser.write(piece);
        return replies.map(plain);
      } catch (error) {
        if (!(error instanceof MalformedReplyError)) throw error;
        return [...replies.map(plain), error.message];
      }
    };
    const property = fc.property(
      anyReply,
      fc.nat(),
      fc.integer({ min: 0, max: 255 }),
      fc.array(fc.nat(), { maxLength: 20 }),
      ({ bytes }, place, byte, places) => {
        const damaged = Buffer.from(bytes);
        damaged[place % damaged.length] = byte;
        expect(outcome(cut(damaged, places))).toEqual(outcome([damaged]));
      },
    );
    fc.assert(property, { numRuns: 500 });
  });
});

describe('the memory of a piece', () => {
  /** As a socket gives them, each in memory of its own. What is the caller's again is overwritten. */
  function parseAndReuse(pieces: readonly Buffer[]): { replies: Reply[]; areFree: boolean[] } {
    const replies: Reply[] = [];
    const parser = new ReplyParser((reply) => replies.push(reply));
    const areFree = pieces.map((piece) => {
      const own = Buffer.from(new Uint8Array(piece).buffer);
      const isFree = parser.write(own, true);
      if (isFree) own.fill(0xff);
      return isFree;
    });
    return { replies, areFree };
  }

  function entry(batchBytes: number): Written {
    const strings = ['0-1102', 't', '1764000000000', 'b', 'x'.repeat(batchBytes)];
    const [id, ...fields] = strings.map((value) => ({
      bytes: text(`$${value.length}\r\n${value}\r\n`),
      value,
    }));
    return listOf([id as Written, listOf(fields, '*4\r\n')], '*2\r\n');
  }

  test('is told to be free only when no reply is in it', () => {
    const anyEntry = fc
      .oneof(fc.nat(100), fc.integer({ min: 1_000, max: 20_000 }), fc.integer({ min: 60_000, max: 150_000 }))
      .map(entry);
    const property = fc.property(
      fc.array(fc.oneof(anyEntry, anyReply), { minLength: 1, maxLength: 12 }),
      fc.array(fc.nat(), { maxLength: 12 }),
      (written, places) => {
        const bytes = Buffer.concat(written.map((reply) => reply.bytes));
        const { replies } = parseAndReuse(cut(bytes, places));
        expect(replies.map(plain)).toEqual(written.map(({ value }) => value));
      },
    );
    fc.assert(property, { numRuns: 200 });
  });

  test('is free when it is a part of large strings, with what stands between them', () => {
    const { bytes, value } = listOf(
      Array.from({ length: 8 }, () => entry(229_248)),
      '*8\r\n',
    );
    const { replies, areFree } = parseAndReuse(
      cut(
        bytes,
        [1, 2, 3, 4, 5, 6, 7, 8, 9].map((piece) => piece * 200_000),
      ),
    );
    expect(replies.map(plain)).toEqual([value]);
    expect(areFree).toEqual(Array.from({ length: 10 }, () => true));
  });

  test('is kept by strings that are whole in it, and not copied for them', () => {
    const { bytes } = listOf(
      Array.from({ length: 200 }, () => entry(300)),
      '*200\r\n',
    );
    const { replies, areFree } = parseAndReuse([bytes]);
    expect(areFree).toEqual([false]);
    const last = (replies as Buffer[][][][])[0]?.at(-1)?.[1]?.[3];
    expect(last?.length).toBe(300);
    expect(last?.buffer.byteLength).toBe(bytes.length);
  });

  test('is kept by many small strings: large ones are not what it brought', () => {
    const { bytes, value } = listOf(
      Array.from({ length: 500 }, () => entry(20)),
      '*500\r\n',
    );
    const { replies, areFree } = parseAndReuse([bytes]);
    expect(areFree).toEqual([false]);
    expect(replies.map(plain)).toEqual([value]);
    const batches = (replies as Buffer[][][][])[0]!.map((read) => read[1]![3]!);
    const copied = batches.filter(({ buffer }) => buffer.byteLength !== bytes.length);
    expect(copied.length).toBeLessThan(10);
  });

  test('is free where it ends within a line', () => {
    const { bytes, value } = listOf([entry(100_000), entry(70_000)], '*2\r\n');
    const secondLength = bytes.indexOf('$70000');
    for (let within = 1; within <= 8; within++) {
      const { replies, areFree } = parseAndReuse(cut(bytes, [50_000, secondLength + within]));
      expect(replies.map(plain)).toEqual([value]);
      // The second batch is whole in the last piece.
      expect(areFree).toEqual([true, true, false]);
    }
  });

  test('that is not wanted back is kept, and nothing is copied', () => {
    const piece = text('*2\r\n$1\r\na\r\n+b\r\n');
    const replies: Reply[] = [];
    expect(new ReplyParser((reply) => replies.push(reply)).write(piece)).toBe(false);
    expect((replies as Buffer[][])[0]?.map(({ buffer }) => buffer === piece.buffer)).toEqual([true, true]);
  });
});

describe('what is no reply is refused', () => {
  test.for([
    ['a type that reads are never answered with', '#t\r\n'],
    ['a type of nobody', 'HTTP/1.1 400 Bad Request\r\n'],
    ['a length without digits', '$\r\n'],
    ['a length that is none', '$1x\r\n'],
    ['a length below nothing', '$-2\r\n'],
    ['a number of entries below nothing', '*-5\r\n'],
    ['a map below nothing', '%-1\r\n'],
    ['a streamed string', '$?\r\n'],
    ['a length beyond all numbers', '$99999999999999999999\r\n'],
    ['a string longer than Redis has', '$536870913\r\n'],
    ['a string that goes on', '$2\r\nabcd\r\n'],
    ['a verbatim string too short for its format', '=3\r\ntxt\r\n'],
    ['a verbatim string without a format', '=5\r\nabcde\r\n'],
    ['a null with a value', '_1\r\n'],
    ['a line that ends in CR alone', '+OK\rx'],
    ['a push within a reply', '*1\r\n>1\r\n'],
    ['lists in lists', '*1\r\n'.repeat(1_000)],
    ['a line without an end', 'x'.repeat(20_000)],
  ] as const)('%s', ([, bytes]) => {
    expect(() => parse([bytes])).toThrow(MalformedReplyError);
  });

  test('a line without an end that comes in pieces', () => {
    expect(() => parse(Array.from({ length: 20 }, () => '+'.repeat(1_000)))).toThrow(MalformedReplyError);
  });

  test('says nothing of what was in it', () => {
    expect(() => parse(['Xsecret\r\n'])).toThrow(/^(?!.*secret)/);
  });
});

test('a push is dropped, between replies and before them', () => {
  const push = '>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n';
  expect(parse([`${push}:1\r\n${push}>0\r\n:2\r\n`])).toEqual([1, 2]);
});

describe('memory', () => {
  test('a string of several pieces is put into memory of its own, once', () => {
    const whole = Buffer.alloc(200_000, 'x');
    const bytes = Buffer.concat([text('$200000\r\n'), whole, text('\r\n')]);
    const [reply] = parse(cut(bytes, [65_536, 131_072, 196_608])) as [Buffer];
    expect(reply.equals(whole)).toBe(true);
    expect(reply.buffer.byteLength).toBe(200_002);
  });

  test('a length that is only announced takes little', () => {
    const before = process.memoryUsage().arrayBuffers;
    const parsers = Array.from({ length: 20 }, () => {
      const parser = new ReplyParser(() => {});
      parser.write(text('*999999999999999\r\n%99999999999999\r\n$536870912\r\nabc'));
      return parser;
    });
    expect(parsers).toHaveLength(20);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 * 1_048_576);
  });

  test('a string beyond what is allocated at once grows as it comes', () => {
    const piece = Buffer.alloc(1_048_576, 'y');
    const replies = parse(['$5242880\r\n', piece, piece, piece, piece, piece, '\r\n']) as [Buffer];
    expect(replies[0].length).toBe(5 * 1_048_576);
    expect(replies[0].equals(Buffer.alloc(5 * 1_048_576, 'y'))).toBe(true);
  });
});
