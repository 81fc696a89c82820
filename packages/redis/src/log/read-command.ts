/**
 * The text of an XREAD, kept from one to the next. Somebody who waits at the end of sixteen logs asks for the same
 * sixteen after each record, and one position of them has changed.
 */
import type { Keys } from '../keys.ts';
import { argument } from '../wire/argument.ts';
import { entryIdBefore } from './log-entry.ts';
import type { ReadOptions, ReadPosition } from './read-batches.ts';

/** A log and its name, also as it goes over the wire. */
interface NamedLog {
  readonly topic: string;
  readonly partition: number;
  readonly name: string;
  readonly text: string;
}

/** One list of logs to be read from, in its order. */
export interface ReadCommand {
  readonly names: readonly string[];
  readonly text: string;
}

export class ReadCommands {
  readonly #keys: Keys;
  readonly #logs = new Map<string, NamedLog[]>();
  /** A reader asks in turns for what has a backlog and for what waits: both are found again. */
  #waiting: LogList | null = null;
  #passing: LogList | null = null;

  constructor(keys: Keys) {
    this.#keys = keys;
  }

  of(positions: readonly ReadPosition[], { maxEntries, blockMs = 0 }: ReadOptions): ReadCommand {
    let list = blockMs > 0 ? this.#waiting : this.#passing;
    if (list?.isOf(positions) !== true) {
      list = new LogList(positions.map((position) => this.#logOf(position)));
      if (blockMs > 0) this.#waiting = list;
      else this.#passing = list;
    }
    return { names: list.names, text: list.text(positions, maxEntries, blockMs) };
  }

  #logOf({ topic, partition }: ReadPosition): NamedLog {
    let logs = this.#logs.get(topic);
    if (logs === undefined) this.#logs.set(topic, (logs = []));
    const known = logs[partition];
    if (known !== undefined) return known;
    const name = this.#keys.partition(topic, partition).log;
    return (logs[partition] = { topic, partition, name, text: argument(name) });
  }
}

class LogList {
  readonly names: readonly string[];
  readonly #logs: readonly NamedLog[];
  readonly #namesText: string;
  #maxEntries = 0;
  #blockMs = 0;
  /** All that precedes the ids, as of these two. */
  #head = '';
  readonly #offsets: number[] = [];
  readonly #ids: string[] = [];

  constructor(logs: readonly NamedLog[]) {
    this.#logs = logs;
    this.names = logs.map(({ name }) => name);
    this.#namesText = logs.map(({ text }) => text).join('');
  }

  isOf(positions: readonly ReadPosition[]): boolean {
    if (positions.length !== this.#logs.length) return false;
    for (let index = 0; index < positions.length; index++) {
      const position = positions[index];
      const log = this.#logs[index];
      if (position?.partition !== log?.partition || position?.topic !== log?.topic) return false;
    }
    return true;
  }

  text(positions: readonly ReadPosition[], maxEntries: number, blockMs: number): string {
    for (let index = 0; index < positions.length; index++) {
      const offset = positions[index]?.offset ?? 0;
      if (this.#offsets[index] === offset) continue;
      this.#offsets[index] = offset;
      this.#ids[index] = argument(entryIdBefore(offset));
    }
    if (maxEntries !== this.#maxEntries || blockMs !== this.#blockMs) {
      this.#maxEntries = maxEntries;
      this.#blockMs = blockMs;
      this.#head = this.#headOf(maxEntries, blockMs);
    }
    return this.#head + this.#ids.join('');
  }

  #headOf(maxEntries: number, blockMs: number): string {
    const block = blockMs > 0 ? `$5\r\nBLOCK\r\n${argument(String(blockMs))}` : '';
    const count = 4 + (blockMs > 0 ? 2 : 0) + 2 * this.#logs.length;
    const command = `*${count}\r\n$5\r\nxread\r\n$5\r\nCOUNT\r\n${argument(String(maxEntries))}${block}`;
    return `${command}$7\r\nSTREAMS\r\n${this.#namesText}`;
  }
}
