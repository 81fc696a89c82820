/** Finds the history to play, or says what is missing and how to name another. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';

import type { HistorySource } from '../options.ts';
import { generateRepository } from './generate-repository.ts';
import { GitHistory, NoHistoryError } from './git-history.ts';

export interface ChosenHistory extends AsyncDisposable {
  readonly history: GitHistory;
  readonly title: string;
}

/** Where this demo's own repository would be. */
const OWN_DIRECTORY = resolve(import.meta.dirname, '../../../..');

const HINT =
  'Name a repository that has one:      pnpm demo --repo DIR\n' +
  'or have a history made up for you:   pnpm demo --generate 10000';

/** Throws `NoHistoryError` with what to do instead. Disposing removes what was generated. */
export async function chooseHistory(source: HistorySource): Promise<ChosenHistory> {
  switch (source.kind) {
    case 'own': {
      // Not asked of git: an unpacked archive may lie inside somebody else's repository.
      if (!existsSync(join(OWN_DIRECTORY, '.git'))) {
        throw new NoHistoryError(`This folder has no git history to play (${OWN_DIRECTORY}).\n${HINT}`);
      }
      return openFolder(OWN_DIRECTORY);
    }
    case 'folder':
      return openFolder(source.directory);
    case 'generated':
      return generate(source.changes);
    default:
      return source satisfies never;
  }
}

async function openFolder(directory: string): Promise<ChosenHistory> {
  try {
    const history = await GitHistory.open(directory);
    return { history, title: `history of ${basename(directory)}`, [Symbol.asyncDispose]: async () => {} };
  } catch (error) {
    if (!(error instanceof NoHistoryError)) throw error;
    throw new NoHistoryError(`No history to play: ${error.message}.\n${HINT}`, { cause: error });
  }
}

async function generate(changes: number): Promise<ChosenHistory> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-demo-'));
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    await generateRepository(directory, { changes });
    return {
      history: await GitHistory.open(directory),
      title: 'made-up history',
      [Symbol.asyncDispose]: remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
