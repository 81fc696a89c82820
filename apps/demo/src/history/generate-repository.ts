/**
 * Makes a bare repository with a long and awkward history, the same for the same arguments on every machine: parallel
 * branches and merges, renames, names that are not ASCII or not even UTF-8, mode changes, symbolic links, submodules,
 * a file that becomes a folder and back. Written through `git fast-import`: 12,000 changes take a few seconds.
 */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { runGit, startGit } from './git.ts';

export interface GenerateOptions {
  /** The history holds at least this many changes; merges add more. */
  readonly changes: number;
  /** Another seed gives another history. Default 1. */
  readonly seed?: number;
}

interface Entry {
  readonly mode: '100644' | '100755' | '120000' | '160000';
  /** Names the content: equal numbers are equal blobs, so that a move is a rename to git. */
  readonly content: number;
}

/** Path (one character per byte) → entry, or null where a commit removes the path. */
type Edits = Map<string, Entry | null>;

/** At this size the history removes as much as it adds: git rewrites a whole folder for each file changed in it. */
const FILES_WANTED = 800;

interface Branch {
  readonly name: string;
  /** Folder that new files go to. Branches add in different ones, so that a merge never has to choose. */
  readonly folder: string;
  /** What a side branch changed since it left the main one; empty on the main one. */
  readonly edits: Edits;
  /** Mark of the commit that the branch starts from, until its first commit is written: git reads a tree back for it. */
  start: number | undefined;
  /** Mark of the last commit. */
  tip: number;
}

const FOLDERS = ['src', 'docs', 'test/data', 'größe', '日本語/テスト', 'with space', 'a/b/c/d'];
const STEMS = [
  'index',
  'naïve',
  'файл',
  'README',
  'données',
  '🎉party',
  'semi;colon',
  'quo"te',
  'back\\slash',
  'tab\there',
  'new\nline',
];

/** Fills `directory`, which must be empty or missing, and returns when the repository is complete. */
export async function generateRepository(directory: string, options: GenerateOptions): Promise<void> {
  await runGit('.', [
    'init',
    '--quiet',
    '--bare',
    '--object-format=sha1',
    '--initial-branch=main',
    directory,
  ]);
  const git = startGit(directory, ['fast-import', '--quiet', '--done']);
  git.stdout.resume();
  await Promise.all([pipeline(Readable.from(fastImportStream(options)), git.stdin), git.finished]);
}

/** Only the main branch knows its files: a side branch adds, and needs to know nothing. */
function* fastImportStream({ changes, seed = 1 }: GenerateOptions): Generator<Buffer> {
  const random = seededRandom(seed);
  const files = new Files();
  const main: Branch = { name: 'main', folder: '', edits: new Map(), start: undefined, tip: 0 };
  let mark = 0;
  let made = 0;

  function* commit(branch: Branch, edits: Edits, mergedTip?: number): Generator<Buffer> {
    mark += 1;
    yield commitCommand({ branch, mark, edits, mergedTip });
    branch.tip = mark;
    branch.start = undefined;
    made += edits.size;
    for (const [path, entry] of edits) {
      if (branch === main) files.set(path, entry);
      else branch.edits.set(path, entry);
    }
  }

  for (let round = 1; made < changes; round += 1) {
    for (let i = 0; i < 6; i += 1) yield* commit(main, randomEdits(files, random, made));
    const side: Branch = {
      name: 'side',
      folder: `feature ${round}/`,
      edits: new Map(),
      start: main.tip,
      tip: 0,
    };
    for (let i = 0; i < 4; i += 1) yield* commit(side, randomAdditions(side, random, made));
    for (let i = 0; i < 2; i += 1) yield* commit(main, randomEdits(files, random, made));
    yield* commit(main, side.edits, side.tip);
  }
  yield Buffer.from('done\n');
}

/** A side branch only adds, so that its merge needs no resolution. */
function randomAdditions(branch: Branch, random: () => number, serial: number): Edits {
  const edits: Edits = new Map();
  const count = 1 + Math.floor(random() * 4);
  for (let i = 0; i < count; i += 1)
    edits.set(newPath(branch.folder, random, serial + i), { mode: '100644', content: serial + i });
  return edits;
}

function randomEdits(files: Files, random: () => number, serial: number): Edits {
  const edits: Edits = new Map();
  const count = 1 + Math.floor(random() * 10);
  const isFull = files.size >= FILES_WANTED;
  for (let i = 0; i < count; i += 1) {
    const [path, entry] = files.pick(random()) ?? [];
    const content = serial + i;
    if (path === undefined || entry === undefined || edits.has(path) || random() < (isFull ? 0.1 : 0.4)) {
      edits.set(newPath('', random, content), { mode: newMode(random), content });
    } else {
      editExisting({
        edits,
        path,
        entry,
        content,
        isFull,
        roll: random(),
        renamed: newPath('', random, content),
      });
    }
  }
  return edits;
}

/** The files of the main branch, with a random pick that does not walk them all. */
class Files {
  readonly #entries = new Map<string, Entry>();
  readonly #order: string[] = [];

  get size(): number {
    return this.#entries.size;
  }

  set(path: string, entry: Entry | null): void {
    if (entry === null) this.#entries.delete(path);
    else {
      if (!this.#entries.has(path)) this.#order.push(path);
      this.#entries.set(path, entry);
    }
  }

  /** `at` is 0 ≤ at < 1. Removed paths are dropped from the order when the pick falls on them. */
  pick(at: number): readonly [string, Entry] | undefined {
    while (this.#order.length > 0) {
      const index = Math.floor(at * this.#order.length);
      const path = this.#order[index] ?? '';
      const entry = this.#entries.get(path);
      if (entry !== undefined) return [path, entry];
      this.#order[index] = this.#order.at(-1) ?? '';
      this.#order.pop();
    }
    return undefined;
  }
}

interface ExistingEdit {
  readonly edits: Edits;
  readonly path: string;
  readonly entry: Entry;
  readonly content: number;
  readonly isFull: boolean;
  /** 0 ≤ roll < 1, decides what happens. */
  readonly roll: number;
  readonly renamed: string;
}

function editExisting({ edits, path, entry, content, isFull, roll, renamed }: ExistingEdit): void {
  if (roll < (isFull ? 0.3 : 0.6)) {
    edits.set(path, { ...entry, content });
  } else if (roll < 0.68) {
    edits.set(path, null);
  } else if (roll < 0.8) {
    edits.set(path, null).set(renamed, entry);
  } else if (roll < 0.86) {
    edits.set(path, { mode: entry.mode === '100644' ? '100755' : '100644', content: entry.content });
  } else if (roll < 0.92) {
    edits.set(path, { mode: entry.mode === '120000' ? '160000' : '120000', content });
  } else if (path.endsWith('/now a folder')) {
    edits.set(path, null).set(path.slice(0, path.lastIndexOf('/')), entry);
  } else {
    edits.set(path, null).set(`${path}/now a folder`, entry);
  }
}

/** Never used before and never a folder: the serial number is part of it. */
function newPath(within: string, random: () => number, serial: number): string {
  const folder = FOLDERS[Math.floor(random() * FOLDERS.length)] ?? '';
  const stem = STEMS[Math.floor(random() * STEMS.length)] ?? '';
  const text = Buffer.from(`${within}${folder}/${stem}-${serial}`).toString('latin1');
  // Now and then a name that is no UTF-8 at all; git does not mind.
  return random() < 0.02 ? `${text}\u00ff\u00fe` : text;
}

function newMode(random: () => number): Entry['mode'] {
  const roll = random();
  if (roll < 0.9) return '100644';
  if (roll < 0.95) return '100755';
  return roll < 0.975 ? '120000' : '160000';
}

interface CommitCommand {
  readonly branch: Branch;
  readonly mark: number;
  readonly edits: Edits;
  readonly mergedTip: number | undefined;
}

function commitCommand({ branch, mark, edits, mergedTip }: CommitCommand): Buffer {
  const lines = [
    `commit refs/heads/${branch.name}`,
    `mark :${mark}`,
    `committer Millrace Demo <demo@example.org> ${1_700_000_000 + mark * 60} +0000`,
    dataCommand(`change ${mark}`),
  ];
  if (branch.start !== undefined) lines.push(`from :${branch.start}`);
  if (mergedTip !== undefined) lines.push(`merge :${mergedTip}`);
  // Removals first: a path that becomes a folder must be gone before something is put into it.
  for (const [path, entry] of edits) if (entry === null) lines.push(`D ${quotePath(path)}`);
  for (const [path, entry] of edits) {
    if (entry === null) continue;
    if (entry.mode === '160000') {
      lines.push(`M 160000 ${entry.content.toString(16).padStart(40, '5')} ${quotePath(path)}`);
    } else {
      lines.push(`M ${entry.mode} inline ${quotePath(path)}`, dataCommand(`content ${entry.content}`));
    }
  }
  return Buffer.from(`${lines.join('\n')}\n\n`, 'latin1');
}

function dataCommand(text: string): string {
  return `data ${text.length}\n${text}`;
}

/** C-style quotes, with octal escapes for what must not stand in a line. */
function quotePath(path: string): string {
  const escaped = Array.from(path, (char) =>
    char < ' ' || char === '"' || char === '\\'
      ? `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`
      : char,
  );
  return `"${escaped.join('')}"`;
}

/** mulberry32 by Tommy Ettinger (public domain): small, and good enough to shuffle with. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
