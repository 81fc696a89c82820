import { ClosedError } from '@millrace/core';
import { toMillraceError, type CommandConnection } from '@millrace/redis';

/** Gives what Redis or the driver throws the form in which users meet errors. `where` says what was tried. */
export async function attempt<T>(
  { status }: Pick<CommandConnection, 'status'>,
  where: string,
  run: () => Promise<T>,
): Promise<T> {
  if (status === 'end') throw new ClosedError(`${where}: this client was closed`);
  try {
    return await run();
  } catch (error) {
    throw toMillraceError(error, where);
  }
}
