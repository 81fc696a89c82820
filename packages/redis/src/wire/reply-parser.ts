/**
 * Redis' replies from what comes out of a socket, in pieces of any length: the forms of RESP2 and RESP3 that reads are
 * answered in. A string that lies within one piece is a view of it, or a copy where it is all that would keep the piece;
 * one that does not gets memory of its own, once, and each piece is copied into it. Nothing is allocated because of a
 * length that was only announced.
 *
 * What is not a reply is never guessed at: `write` throws, and the connection is of no use any more.
 * https://redis.io/docs/latest/develop/reference/protocol-spec/
 */
import { MalformedReplyError, ReplyError } from './reply-error.ts';

/** A map is a list, key, value, key, value; a verbatim string is its text without the format. */
export type Reply = Buffer | number | null | ReplyError | readonly Reply[];

/** A list that is not complete. */
interface OpenList {
  readonly items: Reply[];
  missing: number;
  /** Nobody asked for it: it is read to its end and dropped. */
  readonly isPush: boolean;
}

/** Strings up to here get their memory at once; one batch has its place in it. Longer ones grow as they arrive. */
const FIRST_BYTES = 2 * 1_048_576;
/** `proto-max-bulk-len`, as Redis sets it by default. */
const MAX_STRING_BYTES = 536_870_912;
const MAX_LINE_BYTES = 16_384;
const ENDLESS = 'a line without an end';
/** XREAD answers five levels in RESP2. */
const MAX_DEPTH = 8;
/** What a safe integer always has room for. */
const MAX_DIGITS = 15;

/** What lies between large strings, ids and names, is copied if a piece is wanted back. */
const SMALL_STRING_BYTES = 64;
/** With so many of them in one piece, large strings are not what it brought, and they would be copied for nothing. */
const MANY_SMALL_STRINGS = 16;

const CR = 0x0d;
const LF = 0x0a;
const MINUS = 0x2d;
const COLON = 0x3a;
const LINE_END_BYTES = 2;
/** Of a verbatim string: three letters of the format and a colon. */
const FORMAT_BYTES = 4;

export class ReplyParser {
  readonly #take: (reply: Reply) => void;
  readonly #open: OpenList[] = [];
  /** Beginning of a line whose end has not come. */
  #line: Buffer | null = null;
  /** Of the string that comes next, with the line end behind it; -1 where a line comes next. */
  #stringBytes = -1;
  #isVerbatim = false;
  /** What has come of a string that did not fit in its piece. */
  #string: Buffer | null = null;
  #stringUsed = 0;
  /** Falls with every small string of this piece; 0 once the piece is kept, or where it is not wanted back. */
  #copiesLeft = 0;

  /** `take` gets each whole reply. Its errors leave `write`. */
  constructor(take: (reply: Reply) => void) {
    this.#take = take;
  }

  /**
   * True when the piece was wanted back and nothing is a view of it: its memory is the caller's again. Throws
   * MalformedReplyError; then nothing more may be written.
   */
  write(piece: Buffer, isWantedBack = false): boolean {
    this.#copiesLeft = isWantedBack ? MANY_SMALL_STRINGS : 0;
    let at = 0;
    while (at < piece.length)
      at = this.#stringBytes < 0 ? this.#readLine(piece, at) : this.#readString(piece, at);
    return this.#copiesLeft > 0;
  }

  // --- lines -------------------------------------------------------------------------------------------------------

  #readLine(piece: Buffer, at: number): number {
    if (this.#line !== null) return this.#continueLine(this.#line, piece);
    let end = at;
    while (end < piece.length && piece[end] !== CR) end++;
    if (end + 1 >= piece.length) {
      this.#line = beginningOf(piece, at);
      return piece.length;
    }
    if (end - at > MAX_LINE_BYTES) throw new MalformedReplyError(ENDLESS);
    this.#onLine(piece, at, end);
    return end + LINE_END_BYTES;
  }

  #continueLine(begun: Buffer, piece: Buffer): number {
    const cr = begun.at(-1) === CR ? -1 : piece.indexOf(CR);
    const end = cr === -1 && begun.at(-1) !== CR ? piece.length + 1 : cr + LINE_END_BYTES;
    const line = Buffer.concat([begun, piece.subarray(0, end)]);
    if (end > piece.length) {
      this.#line = beginningOf(line, 0);
      return piece.length;
    }
    this.#line = null;
    this.#onLine(line, 0, line.length - LINE_END_BYTES);
    return end;
  }

  /** `end` is where its CR stands. */
  #onLine(bytes: Buffer, at: number, end: number): void {
    if (bytes[end + 1] !== LF) throw new MalformedReplyError('a line that does not end in CR LF');
    const type = String.fromCharCode(bytes[at] ?? 0);
    switch (type) {
      case '$':
        if (isMinusOne(bytes, at + 1, end)) return this.#onValue(null);
        return this.#beginString(digitsOf(bytes, at + 1, end), false);
      case '=':
        return this.#beginString(digitsOf(bytes, at + 1, end), true);
      case '*':
        if (isMinusOne(bytes, at + 1, end)) return this.#onValue(null);
        return this.#beginList(digitsOf(bytes, at + 1, end), false);
      case '%':
        return this.#beginList(digitsOf(bytes, at + 1, end) * 2, false);
      case '>':
        if (this.#open.length > 0) throw new MalformedReplyError('a push inside of a reply');
        return this.#beginList(digitsOf(bytes, at + 1, end), true);
      case ':':
        return this.#onValue(integerOf(bytes, at + 1, end));
      case '_':
        if (end !== at + 1) throw new MalformedReplyError('a null that says something');
        return this.#onValue(null);
      case '+':
        return this.#onValue(this.#viewOf(bytes, at + 1, end));
      case '-':
        return this.#onValue(new ReplyError(bytes.toString('utf8', at + 1, end)));
      default:
        throw new MalformedReplyError(`byte ${bytes[at] ?? 0} where a type was expected`);
    }
  }

  // --- strings -----------------------------------------------------------------------------------------------------

  #beginString(bytes: number, isVerbatim: boolean): void {
    if (bytes > MAX_STRING_BYTES) throw new MalformedReplyError(`a string of ${bytes} bytes`);
    if (isVerbatim && bytes < FORMAT_BYTES)
      throw new MalformedReplyError('a verbatim string without a format');
    this.#stringBytes = bytes + LINE_END_BYTES;
    this.#isVerbatim = isVerbatim;
  }

  #readString(piece: Buffer, at: number): number {
    const whole = this.#stringBytes;
    if (this.#string === null && at + whole <= piece.length) {
      const end = at + whole;
      this.#onValue(this.#viewOf(piece, this.#endString(piece, at, end), end - LINE_END_BYTES));
      return end;
    }
    const count = Math.min(whole - this.#stringUsed, piece.length - at);
    const string = this.#roomFor(this.#stringUsed + count);
    piece.copy(string, this.#stringUsed, at, at + count);
    this.#stringUsed += count;
    if (this.#stringUsed === whole) {
      this.#string = null;
      this.#stringUsed = 0;
      this.#onValue(string.subarray(this.#endString(string, 0, whole), whole - LINE_END_BYTES));
    }
    return at + count;
  }

  #roomFor(bytes: number): Buffer {
    const string = this.#string;
    if (string !== null && bytes <= string.length) return string;
    const atLeast = string === null ? FIRST_BYTES : 2 * string.length;
    const larger = Buffer.allocUnsafeSlow(Math.min(this.#stringBytes, Math.max(bytes, atLeast)));
    string?.copy(larger, 0, 0, this.#stringUsed);
    this.#string = larger;
    return larger;
  }

  /** A line comes next. Returns where the string's content begins, behind its format; `end` is behind its line end. */
  #endString(bytes: Buffer, at: number, end: number): number {
    if (bytes[end - 2] !== CR || bytes[end - 1] !== LF)
      throw new MalformedReplyError('a string that is longer than was said');
    this.#stringBytes = -1;
    if (!this.#isVerbatim) return at;
    if (bytes[at + FORMAT_BYTES - 1] !== COLON)
      throw new MalformedReplyError('a verbatim string without a format');
    return at + FORMAT_BYTES;
  }

  /** Once one string keeps the piece, the others may as well. */
  #viewOf(piece: Buffer, at: number, end: number): Buffer {
    const view = piece.subarray(at, end);
    if (view.length > SMALL_STRING_BYTES) this.#copiesLeft = 0;
    else if (this.#copiesLeft > 0) this.#copiesLeft--;
    return this.#copiesLeft > 0 ? Buffer.from(view) : view;
  }

  // --- lists -------------------------------------------------------------------------------------------------------

  #beginList(count: number, isPush: boolean): void {
    if (count === 0) {
      if (!isPush) this.#onValue([]);
      return;
    }
    if (this.#open.length === MAX_DEPTH)
      throw new MalformedReplyError(`lists in lists, more than ${MAX_DEPTH} deep`);
    this.#open.push({ items: [], missing: count, isPush });
  }

  #onValue(value: Reply): void {
    let whole = value;
    for (let list = this.#open.at(-1); list !== undefined; list = this.#open.at(-1)) {
      list.items.push(whole);
      if (--list.missing > 0) return;
      this.#open.pop();
      if (list.isPush) return;
      whole = list.items;
    }
    this.#take(whole);
  }
}

/** A copy: the piece is not kept for it. */
function beginningOf(bytes: Buffer, at: number): Buffer {
  if (bytes.length - at > MAX_LINE_BYTES) throw new MalformedReplyError(ENDLESS);
  return Buffer.from(bytes.subarray(at));
}

function digitsOf(bytes: Buffer, at: number, end: number): number {
  if (end === at || end - at > MAX_DIGITS)
    throw new MalformedReplyError('a number of no or of too many digits');
  let value = 0;
  for (let index = at; index < end; index++) {
    const digit = (bytes[index] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) throw new MalformedReplyError('a number that is none');
    value = value * 10 + digit;
  }
  return value;
}

function integerOf(bytes: Buffer, at: number, end: number): number {
  return bytes[at] === MINUS ? -digitsOf(bytes, at + 1, end) : digitsOf(bytes, at, end);
}

/** As RESP2 says that there is nothing. */
function isMinusOne(bytes: Buffer, at: number, end: number): boolean {
  return end - at === 2 && bytes[at] === MINUS && bytes[at + 1] === 0x31;
}
