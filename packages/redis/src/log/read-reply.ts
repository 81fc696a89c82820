/** What XREAD and INFO answer, in the forms of RESP2 and RESP3. Anything else is no answer to them. */
import { MalformedReplyError } from '../wire/reply-error.ts';
import type { Reply } from '../wire/reply-parser.ts';
import type { RawEntry } from './log-entry.ts';
import type { RawStream } from './read-batches.ts';

/** Streams in the order that was asked for, without those that had nothing. */
export function streamsOf(reply: Reply | undefined): readonly RawStream[] {
  if (reply === null) return [];
  const list = listOf(reply);
  // RESP3 answers a map, RESP2 a list of pairs.
  if (!(list[0] instanceof Buffer)) return list.map((pair) => streamOf(listOf(pair), 0));
  const streams: RawStream[] = [];
  for (let index = 0; index < list.length; index += 2) streams.push(streamOf(list, index));
  return streams;
}

function streamOf(list: readonly Reply[], index: number): RawStream {
  return [bytesOf(list[index]), listOf(list[index + 1]).map(entryOf)];
}

function entryOf(reply: Reply): RawEntry {
  const [id, fields] = listOf(reply);
  const list = listOf(fields);
  for (const field of list) bytesOf(field);
  return [bytesOf(id), list as readonly Buffer[]];
}

function listOf(reply: Reply | undefined): readonly Reply[] {
  if (Array.isArray(reply)) return reply as readonly Reply[];
  throw new MalformedReplyError('it is none to an XREAD');
}

function bytesOf(reply: Reply | undefined): Buffer {
  if (reply instanceof Buffer) return reply;
  throw new MalformedReplyError('it is none to an XREAD');
}

const FIELD = Buffer.from('\nmaster_replid:');
const LINE_END = 0x0d;

/**
 * `serverIdentity` of one INFO after another. They say the same for as long as a connection lasts, nearly always at the
 * same place: then the bytes are compared and no text is made of them.
 */
export class IdentityReader {
  #line: Buffer = FIELD;
  #place = 0;
  #identity = '';

  /** '' where INFO does not name the history. */
  identityIn(info: Reply | undefined): string {
    if (!(info instanceof Buffer)) throw new MalformedReplyError('it is none to an INFO');
    const line = this.#line;
    const end = this.#place + line.length;
    if (this.#place > 0 && end <= info.length && info.compare(line, 0, line.length, this.#place, end) === 0)
      return this.#identity;
    const place = info.indexOf(FIELD);
    if (place < 0) return '';
    const lineEnd = info.indexOf(LINE_END, place + FIELD.length);
    const next = lineEnd < 0 ? info.length : lineEnd;
    this.#place = place;
    // With the end of the line: a name that only begins like this one is another.
    this.#line = Buffer.from(info.subarray(place, next + 1));
    this.#identity = info.toString('latin1', place + FIELD.length, next);
    return this.#identity;
  }
}
