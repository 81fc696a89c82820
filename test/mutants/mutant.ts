/** A defect of the product, as edits of its sources: what the history checker and the simulation must find. */
import type { AnomalyName } from '@millrace/testkit';

export interface Edit {
  /** From the root of the repository. Of a script the `.lua` file: its text is edited where it is embedded. */
  readonly file: string;
  /** Stands in the file exactly once (of a script, in its code without the comments). */
  readonly find: string;
  readonly replace: string;
}

export interface Mutant {
  readonly name: string;
  readonly edits: readonly Edit[];
  /** At least one of these must be found. */
  readonly expect: readonly AnomalyName[];
}
