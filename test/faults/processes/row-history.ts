/** The history that this process writes at present: another file with every row. */
import { openHistory, type HistoryWriter } from '@millrace/testkit';
import type { ProcessSettings } from './messages.ts';

export class RowHistory {
  readonly #proc: string;
  #writer: HistoryWriter;

  constructor({ proc, directory }: Pick<ProcessSettings, 'proc' | 'directory'>) {
    this.#proc = proc;
    this.#writer = openHistory({ directory, proc }).writer;
  }

  get writer(): HistoryWriter {
    return this.#writer;
  }

  /** The file of before stays open: what began there ends there. */
  begin(directory: string): void {
    this.#writer = openHistory({ directory, proc: this.#proc }).writer;
  }
}
