/** Randomness that replays: one seed, one sequence. */
import type { Random } from '@millrace/core';

export class SeededRandom implements Random {
  readonly #seed: string;
  #state: [number, number, number, number];

  constructor(seed: string) {
    this.#seed = seed;
    let hash = 2_166_136_261;
    for (let index = 0; index < seed.length; index++)
      hash = Math.imul(hash ^ seed.charCodeAt(index), 16_777_619);
    this.#state = [hash, hash ^ 0x9e37_79b9, hash ^ 0x243f_6a88, 1];
    for (let round = 0; round < 12; round++) this.#next32();
  }

  /** A sequence of its own: what is drawn from it changes nothing for others. */
  fork(name: string): SeededRandom {
    return new SeededRandom(`${this.#seed}/${name}`);
  }

  next(): number {
    return this.#next32() / 4_294_967_296;
  }

  nonce(): string {
    let text = '';
    for (let part = 0; part < 4; part++) text += this.#next32().toString(36).padStart(7, '0');
    return text;
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** An integer, both ends included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.between(0, choices.length - 1)] ?? choices[0];
  }

  /** sfc32, by Chris Doty-Humphrey (PractRand). */
  #next32(): number {
    const [a, b, c, d] = this.#state;
    const sum = (((a + b) | 0) + d) | 0;
    this.#state = [b ^ (b >>> 9), (c + (c << 3)) | 0, (((c << 21) | (c >>> 11)) + sum) | 0, (d + 1) | 0];
    return sum >>> 0;
  }
}
