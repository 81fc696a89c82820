/**
 * Finds where one value of the Redis protocol (RESP 2 and 3) ends and the next begins in a stream that comes in pieces, and
 * keeps the first words of a command. It decodes nothing else: a proxy must know which reply answers which command, and a
 * payload of a megabyte is skipped, not copied.
 */

export interface ScannedValue {
  /** Offset in the fed chunk just after the value. */
  readonly end: number;
  /** First byte of the value: `*`, `+`, `>` …; empty for an inline command. */
  readonly type: string;
  /** The first words of a command; empty for a scanner of replies. */
  readonly words: readonly string[];
}

const maxWords = 8;
/** The name, a script's text and the first key are wanted whole; arguments can be payload. */
const maxBytesOfWord = (index: number): number => (index < 4 ? 65_536 : 256);
const maxHeaderBytes = 65_536;

interface Aggregate {
  left: number;
  /** An attribute of RESP 3 comes before the value that it belongs to, and is none itself. */
  readonly isAttribute: boolean;
}

/** Throws on bytes that are not RESP; the stream cannot be followed from there on. */
export class RespScanner {
  readonly #of: 'commands' | 'replies';
  readonly #open: Aggregate[] = [];
  #header = '';
  /** Bytes of a bulk string still to come, its line end included. */
  #skip = 0;
  #payloadLeft = 0;
  #type = '';
  #words: string[] = [];
  #word: Buffer[] = [];
  #wordLeft = 0;

  constructor(of: 'commands' | 'replies') {
    this.#of = of;
  }

  /** The values that end in this chunk, in order. */
  feed(chunk: Buffer): ScannedValue[] {
    const found: ScannedValue[] = [];
    let at = 0;
    while (at < chunk.length) {
      let isComplete: boolean;
      if (this.#skip > 0) {
        const taken = Math.min(this.#skip, chunk.length - at);
        this.#capture(chunk.subarray(at, at + taken));
        this.#skip -= taken;
        at += taken;
        isComplete = this.#skip === 0 && this.#endBulk();
      } else {
        const newline = chunk.indexOf(0x0a, at);
        const end = newline < 0 ? chunk.length : newline;
        this.#header += chunk.toString('latin1', at, end);
        if (this.#header.length > maxHeaderBytes) throw new Error('not RESP: a line without an end');
        at = newline < 0 ? end : end + 1;
        isComplete = newline >= 0 && this.#readHeader();
      }
      if (isComplete) {
        found.push({ end: at, type: this.#type, words: this.#words });
        this.#type = '';
        this.#words = [];
      }
    }
    return found;
  }

  /** Whether a value of the top level is complete with this line. */
  #readHeader(): boolean {
    const line = this.#header.endsWith('\r') ? this.#header.slice(0, -1) : this.#header;
    this.#header = '';
    const type = line.charAt(0);
    const isOutermost = this.#open.length === 0 && this.#type === '';
    if (isOutermost && this.#of === 'commands' && type !== '*') {
      this.#words = line.split(' ').filter((word) => word !== '');
      return this.#words.length > 0;
    }
    if (isOutermost && type !== '|') this.#type = type;
    switch (type) {
      case '+':
      case '-':
      case ':':
      case '_':
      case '#':
      case ',':
      case '(':
        return this.#endValue();
      case '$':
      case '!':
      case '=':
        return this.#beginBulk(parseLength(line));
      case '*':
      case '~':
      case '>':
        return this.#beginAggregate(parseLength(line), false);
      case '%':
        return this.#beginAggregate(parseLength(line) * 2, false);
      case '|':
        return this.#beginAggregate(parseLength(line) * 2, true);
      default:
        throw new Error(`not RESP: a value that begins with ${JSON.stringify(type)}`);
    }
  }

  #beginBulk(length: number): boolean {
    if (length < 0) return this.#endValue();
    this.#skip = length + 2;
    this.#payloadLeft = length;
    const index = this.#words.length;
    this.#wordLeft = this.#of === 'commands' && index < maxWords ? maxBytesOfWord(index) : 0;
    return false;
  }

  #capture(part: Buffer): void {
    const payload = part.subarray(0, this.#payloadLeft);
    this.#payloadLeft -= payload.length;
    if (this.#wordLeft === 0) return;
    const kept = payload.subarray(0, this.#wordLeft);
    this.#wordLeft -= kept.length;
    this.#word.push(kept);
  }

  #endBulk(): boolean {
    if (this.#of === 'commands' && this.#words.length < maxWords) {
      this.#words.push(Buffer.concat(this.#word).toString('utf8'));
      this.#word = [];
    }
    return this.#endValue();
  }

  #beginAggregate(length: number, isAttribute: boolean): boolean {
    if (length > 0) {
      this.#open.push({ left: length, isAttribute });
      return false;
    }
    return isAttribute ? false : this.#endValue();
  }

  #endValue(): boolean {
    for (;;) {
      const innermost = this.#open.at(-1);
      if (innermost === undefined) return true;
      innermost.left -= 1;
      if (innermost.left > 0) return false;
      this.#open.pop();
      if (innermost.isAttribute) return false;
    }
  }
}

function parseLength(line: string): number {
  const length = Number(line.slice(1));
  if (!Number.isInteger(length)) throw new Error('not RESP: a length that is no number');
  return length;
}
