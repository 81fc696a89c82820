/** A program or library that a fault needs is neither here nor can it be installed; the message says how to get it. */
export class MissingToolError extends Error {
  override readonly name = 'MissingToolError';
  readonly code = 'MISSING_TOOL';
  readonly retryable = false;
}
