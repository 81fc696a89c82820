import { toMillraceError } from '@millrace/redis';

/** Gives what Redis or the driver throws the form in which users meet errors. `where` says what was tried. */
export async function attempt<T>(where: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw toMillraceError(error, where);
  }
}
