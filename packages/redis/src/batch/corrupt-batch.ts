/** What readers throw for a batch that was damaged, or that nothing of Millrace wrote. */
import { DataError } from '@millrace/core';

/** `where` names the batch. `what` says nothing of its records. */
export function corruptBatch(where: string, what: string, cause?: unknown): DataError {
  return new DataError('CORRUPT_BATCH', `${where} is corrupt: ${what}`, { cause });
}
