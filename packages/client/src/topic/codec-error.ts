/**
 * Says what is wrong with a value without showing any of it, so its message may be logged. Errors of the users' own
 * codecs and validators promise no such thing.
 */
export class CodecError extends Error {
  override readonly name: string = 'CodecError';
}

/** What may be said of an error that a codec threw. */
export function describeCause(cause: unknown): string {
  if (cause instanceof CodecError) return cause.message;
  return `its codec threw ${cause instanceof Error ? cause.name : `a ${typeof cause}`}`;
}
