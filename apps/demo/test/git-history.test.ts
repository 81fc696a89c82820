import { chmod, mkdir, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from '@millrace/testkit';

import { compareTrees, foldChange } from '../src/history/change.ts';
import type { Change, Tree } from '../src/history/change.ts';
import { generateRepository } from '../src/history/generate-repository.ts';
import { GitError } from '../src/history/git.ts';
import { GitHistory, NoHistoryError } from '../src/history/git-history.ts';
import { temporaryFolder, TemporaryRepository } from './temporary-repository.ts';

async function readAll(directory: string): Promise<Change[]> {
  const history = await GitHistory.open(directory);
  const changes: Change[] = [];
  for await (const piece of history.changes()) changes.push(...piece);
  return changes;
}

/** The property that the whole demo rests on: folding every change gives the tree of HEAD. Returns that tree. */
async function expectFoldEqualsHead(directory: string): Promise<Tree> {
  const history = await GitHistory.open(directory);
  const folded: Tree = new Map();
  for (const change of await readAll(directory)) foldChange(folded, change);
  const tree = await history.tree();
  expect(compareTrees(tree, folded)).toEqual([]);
  return folded;
}

function kinds(changes: readonly Change[]): string[] {
  return changes.map(({ kind, mode, path }) => `${kind} ${mode} ${path}`).sort();
}

describe('changes', () => {
  test('an added, a modified, a re-moded and a deleted file are one change each, with the commit that made them', async () => {
    await using repository = await TemporaryRepository.create();
    await repository.write('kept', '1');
    await repository.write('gone', '1');
    const first = repository.commit();
    await repository.write('kept', '2');
    await rm(join(repository.path, 'gone'));
    const second = repository.commit();
    await chmod(join(repository.path, 'kept'), 0o755);
    const third = repository.commit();

    const changes = await readAll(repository.path);

    const byCommit = (commit: string): string[] =>
      kinds(changes.filter((change) => change.commit === commit));
    expect(byCommit(first)).toEqual(['added 100644 gone', 'added 100644 kept']);
    expect(byCommit(second)).toEqual(['deleted 000000 gone', 'modified 100644 kept']);
    expect(byCommit(third)).toEqual(['modified 100755 kept']);
    expect(changes.map(({ commit }) => commit)).toEqual([first, first, second, second, third]);
    await expectFoldEqualsHead(repository.path);
  });

  test('a rename is a deletion and an addition of the same blob', async () => {
    await using repository = await TemporaryRepository.create();
    await repository.write('old', 'the same content in both places');
    repository.commit();
    await rename(join(repository.path, 'old'), join(repository.path, 'new'));
    const renamed = repository.commit();

    const changes = (await readAll(repository.path)).filter(({ commit }) => commit === renamed);

    expect(kinds(changes)).toEqual(['added 100644 new', 'deleted 000000 old']);
    await expectFoldEqualsHead(repository.path);
  });

  test('symbolic links, and a file that becomes a folder and back', async () => {
    await using repository = await TemporaryRepository.create();
    await repository.write('swap', 'file');
    await repository.write('target', 'x');
    repository.commit();
    await rm(join(repository.path, 'swap'));
    await mkdir(join(repository.path, 'swap'));
    await repository.write('swap/inner', 'file in a folder');
    await rm(join(repository.path, 'target'));
    await symlink('swap', join(repository.path, 'target'));
    const toFolder = repository.commit();
    await rm(join(repository.path, 'swap'), { recursive: true });
    await repository.write('swap', 'file again');
    const back = repository.commit();

    const changes = await readAll(repository.path);

    const of = (wanted: string): string[] => kinds(changes.filter(({ commit }) => commit === wanted));
    expect(of(toFolder)).toEqual([
      'added 100644 swap/inner',
      'deleted 000000 swap',
      'type-changed 120000 target',
    ]);
    expect(of(back)).toEqual(['added 100644 swap', 'deleted 000000 swap/inner']);
    await expectFoldEqualsHead(repository.path);
  });

  test('names that are not ASCII, hold quotes, tabs and newlines, or are no UTF-8 at all', async () => {
    await using repository = await TemporaryRepository.create();
    const names = [
      'größe',
      '日本語',
      '🎉',
      ' leading space',
      'a\tb',
      'a\nb',
      '"quoted"',
      'back\\slash',
      '-dash',
      ':colon',
    ];
    for (const name of names) await repository.write(name, name);
    const bytes = Buffer.from([0x66, 0xff, 0xfe]);
    await repository.write(bytes, 'not UTF-8');
    repository.commit();

    const tree = await expectFoldEqualsHead(repository.path);

    const expected = [...names.map((name) => Buffer.from(name)), bytes].map((name) =>
      name.toString('latin1'),
    );
    expect([...tree.keys()].sort()).toEqual(expected.sort());
  });

  test('submodules are entries too, also where .gitmodules tells git to ignore them', async () => {
    await using repository = await TemporaryRepository.create();
    await repository.write('.gitmodules', '[submodule "lib"]\n\tpath = lib\n\turl = ./lib\n\tignore = all\n');
    repository.git('add', '.gitmodules');
    repository.git('update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},lib`);
    repository.git('commit', '--quiet', '--message', 'add');
    repository.git('update-index', '--cacheinfo', `160000,${'2'.repeat(40)},lib`);
    repository.git('commit', '--quiet', '--message', 'move on');

    const submodule = (await readAll(repository.path)).filter(({ path }) => path === 'lib');

    expect(submodule.map(({ kind, mode, blob }) => [kind, mode, blob])).toEqual([
      ['added', '160000', '1'.repeat(40)],
      ['modified', '160000', '2'.repeat(40)],
    ]);
    await expectFoldEqualsHead(repository.path);
  });

  test('a merge whose branches changed the same file, with a resolution of its own', async () => {
    await using repository = await TemporaryRepository.create();
    await repository.write('both', 'base');
    repository.commit();
    repository.git('checkout', '--quiet', '-b', 'side');
    await repository.write('both', 'side');
    await repository.write('only-side', 'x');
    repository.commit();
    repository.git('checkout', '--quiet', 'main');
    await repository.write('both', 'main');
    repository.commit();
    repository.git('merge', '--quiet', '--no-commit', '--strategy=ours', 'side');
    await repository.write('both', 'neither of the two');
    await repository.write('only-merge', 'x');
    repository.commit();

    const tree = await expectFoldEqualsHead(repository.path);

    // Strategy "ours" drops what the side branch added: nothing of it may be left over.
    expect([...tree.keys()].sort()).toEqual(['both', 'only-merge']);
  });

  test('two roots, an octopus merge and commits that change nothing', async () => {
    await using repository = await TemporaryRepository.create();
    await repository.write('a', '1');
    repository.commit();
    for (const branch of ['one', 'two', 'three']) {
      repository.git('checkout', '--quiet', '-b', branch, 'main');
      await repository.write(branch, branch);
      repository.commit();
    }
    repository.git('checkout', '--quiet', '--orphan', 'other-root');
    repository.git('rm', '--quiet', '-r', '--force', '.');
    await repository.write('elsewhere', '1');
    repository.commit();
    repository.git('checkout', '--quiet', 'main');
    repository.commit('empty');
    repository.git('merge', '--quiet', '--message', 'octopus', 'one', 'two', 'three');
    repository.git('merge', '--quiet', '--allow-unrelated-histories', '--message', 'unrelated', 'other-root');

    const tree = await expectFoldEqualsHead(repository.path);

    expect([...tree.keys()].sort()).toEqual(['a', 'elsewhere', 'one', 'three', 'two']);
  });
});

describe('repositories', () => {
  test('a generated one: many changes of every kind, the same each time', async () => {
    await using first = await temporaryFolder();
    await using second = await temporaryFolder();
    await generateRepository(first.path, { changes: 1500 });
    await generateRepository(second.path, { changes: 1500 });

    const changes = await readAll(first.path);
    const tree = await expectFoldEqualsHead(first.path);

    expect(changes.length).toBeGreaterThanOrEqual(1500);
    expect(await (await GitHistory.open(first.path)).countChanges()).toBe(changes.length);
    expect((await GitHistory.open(second.path)).head).toBe((await GitHistory.open(first.path)).head);
    expect(new Set(changes.map(({ kind }) => kind))).toEqual(
      new Set(['added', 'modified', 'deleted', 'type-changed']),
    );
    const modes = new Set([...tree.values()].map((entry) => entry.slice(0, 6)));
    expect(modes).toEqual(new Set(['100644', '100755', '120000', '160000']));
    expect([...tree.keys()].some((path) => Buffer.from(path, 'latin1').toString().includes('日本語'))).toBe(
      true,
    );
    expect([...tree.keys()].some((path) => path.includes('\u00ff\u00fe'))).toBe(true);
  });

  test('bare, with a detached HEAD, and seen from a folder inside', async () => {
    await using repository = await TemporaryRepository.create();
    await mkdir(join(repository.path, 'inner'));
    await repository.write('inner/file', '1');
    await repository.write('outer', '1');
    const first = repository.commit();
    await repository.write('outer', '2');
    repository.commit();
    repository.git('clone', '--quiet', '--bare', '.', 'bare.git');
    repository.git('checkout', '--quiet', '--detach', first);

    expect((await GitHistory.open(repository.path)).head).toBe(first);
    expect((await expectFoldEqualsHead(repository.path)).size).toBe(2);
    expect([...(await expectFoldEqualsHead(join(repository.path, 'inner'))).keys()].sort()).toEqual([
      'inner/file',
      'outer',
    ]);
    expect(await readAll(join(repository.path, 'bare.git'))).toHaveLength(3);
    await expectFoldEqualsHead(join(repository.path, 'bare.git'));
  });

  test('a shallow clone begins with everything that its oldest commit holds', async () => {
    await using repository = await TemporaryRepository.create();
    for (const content of ['1', '2', '3', '4']) {
      await repository.write('file', content);
      await repository.write(`file-${content}`, content);
      repository.commit();
    }
    repository.git('clone', '--quiet', '--depth=2', `file://${repository.path}`, 'shallow');

    const shallow = join(repository.path, 'shallow');

    expect((await readAll(shallow)).length).toBe(4 + 2);
    await expectFoldEqualsHead(shallow);
  });

  test('one with SHA-256 object ids, and one with abbreviated ids and renames switched on', async () => {
    await using repository = await TemporaryRepository.create('--object-format=sha256');
    repository.git('config', 'core.abbrev', '7');
    repository.git('config', 'diff.renames', 'copies');
    await repository.write('a', 'some content that is long enough to be found again');
    repository.commit();
    await rename(join(repository.path, 'a'), join(repository.path, 'b'));
    repository.commit();

    const changes = await readAll(repository.path);

    expect(changes.map(({ blob }) => blob.length)).toEqual([64, 64, 64]);
    await expectFoldEqualsHead(repository.path);
  });

  test('a commit made while the history is read does not change it', async () => {
    await using repository = await TemporaryRepository.create();
    await repository.write('a', '1');
    repository.commit();
    const history = await GitHistory.open(repository.path);
    await repository.write('b', '1');
    repository.commit();

    expect(await history.countChanges()).toBe(1);
    expect([...(await history.tree()).keys()]).toEqual(['a']);
  });

  test('without a commit, without a repository, without a folder: each says so', async () => {
    await using empty = await TemporaryRepository.create();
    await using folder = await temporaryFolder();
    const missing = join(folder.path, 'missing');

    await expect(GitHistory.open(empty.path)).rejects.toThrow(
      `the repository at ${empty.path} has no commit yet`,
    );
    await expect(GitHistory.open(folder.path)).rejects.toThrow(
      /^no git repository at .*not a git repository/,
    );
    await expect(GitHistory.open(missing)).rejects.toThrow(
      /^no git repository at .*No such file or directory/,
    );
    await expect(GitHistory.open(missing)).rejects.toBeInstanceOf(NoHistoryError);
  });

  test('an object that is missing is an error and not a shorter history', async () => {
    await using repository = await TemporaryRepository.create();
    await repository.write('a', '1');
    repository.commit();
    const tree = repository.git('rev-parse', 'HEAD^{tree}').trim();
    await rm(join(repository.path, '.git/objects', tree.slice(0, 2), tree.slice(2)));

    const history = await GitHistory.open(repository.path);

    await expect(history.countChanges()).rejects.toThrow(GitError);
    await expect(history.tree()).rejects.toThrow(GitError);
  });

  test('a reader that stops early ends its git processes', async () => {
    await using folder = await temporaryFolder();
    await generateRepository(folder.path, { changes: 3000 });
    const history = await GitHistory.open(folder.path);

    for await (const piece of history.changes()) {
      expect(piece.length).toBeGreaterThan(0);
      break;
    }

    await eventually(() => expect(process.getActiveResourcesInfo()).not.toContain('ProcessWrap'));
    // What was read so far is dropped; a new reader starts at the beginning.
    expect(await history.countChanges()).toBeGreaterThanOrEqual(3000);
  });
});
