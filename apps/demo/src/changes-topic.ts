/** The topic that the changes go through: keyed by path, so that all changes of a file are in one partition. */
import { json, topic } from 'millrace';

import type { Change } from './history/change.ts';

/** The path is the record's key, as git's bytes: it need not be UTF-8, so it has no place in JSON. */
export type ChangeValue = Omit<Change, 'path'>;

export const CHANGES = topic('changes', { value: json<ChangeValue>() });
