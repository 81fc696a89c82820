/**
 * Reads what `git diff-tree --stdin -r --raw -z` writes: the id of a commit, then for each change
 * `:<old mode> <new mode> <old id> <new id> <status>` and the path, every token ended by a NUL. A commit that changed
 * nothing writes nothing. Pure; fed with chunks as they arrive, cut anywhere.
 */
import type { Change, ChangeKind } from './change.ts';

const KINDS: Readonly<Record<string, ChangeKind>> = {
  A: 'added',
  M: 'modified',
  D: 'deleted',
  T: 'type-changed',
};

export class RawDiffParser {
  #rest = '';
  #commit = '';
  #header: string | undefined;

  /** The changes that this chunk completes, in git's order. */
  push(chunk: Buffer): Change[] {
    const tokens = (this.#rest + chunk.toString('latin1')).split('\0');
    this.#rest = tokens.pop() ?? '';
    const changes: Change[] = [];
    for (const token of tokens) {
      if (this.#header !== undefined) {
        changes.push(this.#change(this.#header, token));
        this.#header = undefined;
      } else if (token.startsWith(':')) {
        this.#header = token;
      } else {
        this.#commit = token;
      }
    }
    return changes;
  }

  /** To be called after the last chunk: throws when the output was cut short. */
  end(): void {
    if (this.#rest !== '' || this.#header !== undefined) {
      throw new Error(`git diff-tree: the output ends inside an entry of commit ${this.#commit}`);
    }
  }

  #change(header: string, path: string): Change {
    const [, mode, , blob, status] = header.split(' ');
    const kind = KINDS[status ?? ''];
    if (mode === undefined || blob === undefined || kind === undefined) {
      throw new Error(`git diff-tree: cannot read ${JSON.stringify(header)} of commit ${this.#commit}`);
    }
    return { path, kind, mode, blob, commit: this.#commit };
  }
}
