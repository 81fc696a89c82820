/** What can be wrong with an answer, on a connection whose replies are read here and not by the driver. */

/** Redis refused or failed a command. The message is Redis' own, as the driver would have given it. */
export class ReplyError extends Error {
  override readonly name = 'ReplyError';
}

/** What came is no reply to what was asked: nothing that follows on this connection can be told apart. Holds no payload. */
export class MalformedReplyError extends Error {
  override readonly name = 'MalformedReplyError';

  constructor(what: string) {
    super(`a reply that cannot be read: ${what}`);
  }
}
