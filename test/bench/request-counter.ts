/** Finds the commands in what a Redis client sends: arrays of bulk strings, in chunks that end anywhere. */
export class RequestCounter {
  readonly #onCommand: (name: string) => void;
  #rest: Buffer = Buffer.alloc(0);
  /** Bulk strings still to come of the command under way; its first one is its name. */
  #missing = 0;
  #isNameNext = false;

  constructor(onCommand: (name: string) => void) {
    this.#onCommand = onCommand;
  }

  read(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#readPart());
  }

  /** False when what is there is not complete. */
  #readPart(): boolean {
    const lineEnd = this.#rest.indexOf('\r\n');
    if (lineEnd < 0) return false;
    const length = Number(this.#rest.toString('latin1', 1, lineEnd));
    const bodyStart = lineEnd + 2;
    if (this.#missing === 0) {
      this.#missing = length;
      this.#isNameNext = true;
      this.#rest = this.#rest.subarray(bodyStart);
      return true;
    }
    const bodyEnd = bodyStart + length;
    if (this.#rest.length < bodyEnd + 2) return false;
    if (this.#isNameNext) this.#onCommand(this.#rest.toString('latin1', bodyStart, bodyEnd).toLowerCase());
    this.#isNameNext = false;
    this.#missing--;
    this.#rest = this.#rest.subarray(bodyEnd + 2);
    return true;
  }
}
