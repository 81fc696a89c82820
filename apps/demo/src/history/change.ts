/**
 * One change of one file in one commit, and the tree that such changes fold into.
 *
 * Git's paths are bytes and need not be UTF-8. They are kept as strings of one character per byte (latin1), which is
 * exact, cheap, and usable as the key of a Map; `displayPath` makes them readable.
 */

export type ChangeKind = 'added' | 'modified' | 'deleted' | 'type-changed';

export interface Change {
  /** One character per byte. */
  readonly path: string;
  readonly kind: ChangeKind;
  /** Git's file mode after the change, six octal digits; `000000` where the file is gone. */
  readonly mode: string;
  /** Object id after the change (of a blob; of a commit for a submodule, mode 160000); zeros where the file is gone. */
  readonly blob: string;
  readonly commit: string;
}

/** Path (one character per byte) → `<mode> <object id>`. */
export type Tree = Map<string, string>;

export function foldChange(tree: Tree, change: Change): void {
  if (change.kind === 'deleted') tree.delete(change.path);
  else tree.set(change.path, `${change.mode} ${change.blob}`);
}

export interface TreeDifference {
  readonly path: string;
  /** Undefined where the path must not exist. */
  readonly expected: string | undefined;
  /** Undefined where the path does not exist. */
  readonly actual: string | undefined;
}

/** Every entry that is not the same in both trees, sorted by path; empty when they are equal. */
export function compareTrees(
  expected: ReadonlyMap<string, string>,
  actual: ReadonlyMap<string, string>,
): TreeDifference[] {
  const differences: TreeDifference[] = [];
  for (const [path, entry] of expected) {
    const found = actual.get(path);
    if (found !== entry) differences.push({ path, expected: entry, actual: found });
  }
  for (const [path, entry] of actual) {
    if (!expected.has(path)) differences.push({ path, expected: undefined, actual: entry });
  }
  return differences.sort((a, b) => (a.path < b.path ? -1 : 1));
}

export function pathBytes(path: string): Buffer {
  return Buffer.from(path, 'latin1');
}

export function displayPath(path: string): string {
  return pathBytes(path).toString('utf8');
}
