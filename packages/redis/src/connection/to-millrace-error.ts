/**
 * The one place that reads the text of Redis and driver errors. What leaves here never holds a command's arguments:
 * ioredis attaches them to its errors (payloads, and the password of a HELLO), and Redis repeats them in some messages.
 */
import { ConfigError, DataError, MillraceError, UnavailableError } from '@millrace/core';

/**
 * What is known about a command that failed: it did not run, or nobody can say. Stands in `details.execution`.
 * Only after `none` is the same command certain not to take effect later.
 */
export type Execution = 'none' | 'unknown';

const NETWORK_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'EMFILE',
  'ENOENT',
  'EACCES',
]);

/** First word of a reply that refuses a command before it runs, and what to do about it. */
const REFUSALS: Readonly<Record<string, string>> = {
  OOM: 'Redis is out of memory: raise maxmemory, or let consumers and trimming free some',
  READONLY: 'this server is a replica: connect to the primary',
  LOADING: 'Redis is loading its data set: wait until it is done',
  MISCONF: 'Redis cannot persist to disk and refuses writes: see its log and free disk space',
  NOREPLICAS: 'too few replicas are connected: see min-replicas-to-write',
  MASTERDOWN: 'the replica lost its primary: connect to the primary',
  CLUSTERDOWN: 'the cluster does not serve this slot at the moment',
  TRYAGAIN: 'the slot is being moved to another node',
  MOVED: 'the slot lives on another node: this connection is not a cluster client',
  ASK: 'the slot is being moved to another node: this connection is not a cluster client',
  BUSY: 'a script is running for too long on the server',
  UNBLOCKED: 'the server is not the primary any more',
};

/**
 * Maps what ioredis throws to the error that tells the caller what to do. `where` says what was attempted ("append to
 * orders/3") and stands at the front of the message. A MillraceError passes through.
 */
export function toMillraceError(error: unknown, where: string): MillraceError {
  if (error instanceof MillraceError) return error;
  const text = withoutRedirections(safeText(error));
  const cause = withoutArguments(error, text);
  const word = text.split(/[\s:]/, 1)[0] ?? '';
  const fail = (execution: Execution) => ({ cause, details: { execution } });

  if (word === 'NOAUTH' || word === 'WRONGPASS' || /invalid (username-)?password/i.test(text)) {
    const problem =
      word === 'NOAUTH'
        ? 'Redis asks for a password and none was given'
        : 'Redis refused the user name or password';
    return new ConfigError(
      'AUTHENTICATION_FAILED',
      `${where}: ${problem}; check the credentials in the URL`,
      fail('none'),
    );
  }
  if (word === 'NOPERM') {
    return new ConfigError(
      'PERMISSION_DENIED',
      `${where}: the Redis user may not do this: ${text}`,
      fail('none'),
    );
  }
  const refusal = Object.hasOwn(REFUSALS, word) ? REFUSALS[word] : undefined;
  if (refusal !== undefined)
    return new UnavailableError('REDIS_REFUSED', `${where}: ${refusal} (${word})`, fail('none'));
  if (text.startsWith('ERR max number of clients reached')) {
    return new UnavailableError(
      'REDIS_REFUSED',
      `${where}: Redis has no free connection: raise maxclients`,
      fail('none'),
    );
  }
  // The answer to SELECT, which the driver sends before anything else.
  if (text.startsWith('ERR DB index is out of range')) {
    return new ConfigError(
      'INVALID_OPTION',
      `${where}: Redis has no database of the number that the URL ends with (sentinel.database behind Sentinels): ` +
        'name one that is there, or raise "databases" in its configuration',
      fail('none'),
    );
  }
  if (isTlsFailure(error)) {
    return new ConfigError(
      'TLS_FAILED',
      `${where}: TLS failed: ${text}; check the "tls" option and the server's certificate`,
      fail('none'),
    );
  }
  // Refused by the driver because there is no connection: certain not to have been sent.
  if (/^(Stream isn't writeable|Cluster isn't ready|None of startup nodes is available)/.test(text)) {
    return new UnavailableError(
      'REDIS_UNREACHABLE',
      `${where}: not connected to Redis at the moment`,
      fail('none'),
    );
  }
  if (isConnectionLoss(error, text)) {
    return new UnavailableError(
      'REDIS_UNREACHABLE',
      `${where}: the connection to Redis was lost (${lossText(error, text)})`,
      fail('unknown'),
    );
  }
  return new DataError(
    'UNEXPECTED_REPLY',
    `${where}: Redis answered with an error that Millrace does not expect: ${text}`,
    fail('unknown'),
  );
}

function isConnectionLoss(error: unknown, text: string): boolean {
  const { name, code } = error as { readonly name?: unknown; readonly code?: unknown };
  return (
    name === 'MaxRetriesPerRequestError' ||
    name === 'AbortError' ||
    // Past it nothing can be told apart, so the connection was given up.
    name === 'MalformedReplyError' ||
    text === 'Connection is closed.' ||
    text.startsWith('Socket timeout.') ||
    text === 'Command timed out' ||
    (typeof code === 'string' && NETWORK_CODES.has(code))
  );
}

function lossText(error: unknown, text: string): string {
  return (error as { readonly name?: unknown }).name === 'MaxRetriesPerRequestError'
    ? 'it broke before the reply came'
    : text;
}

function isTlsFailure(error: unknown): boolean {
  const code = (error as { readonly code?: unknown }).code;
  return (
    typeof code === 'string' &&
    /^(ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|EPROTO$)/.test(
      code,
    )
  );
}

/** Redis quotes the beginning of the arguments when it does not know a command: everything from there is cut off. */
function safeText(error: unknown): string {
  const message = error instanceof Error ? error.message : 'a value that is no Error was thrown';
  return message.replace(/, with args beginning with:.*$/s, '').slice(0, 500);
}

/** In a cluster, what the last of too many attempts was answered: only that tells whether it may have run. */
function withoutRedirections(text: string): string {
  return text.replace(/^Too many Cluster redirections\. Last error: (?:\w+: )?/, '');
}

/** A fresh error with the stack of the original and none of its properties. */
function withoutArguments(error: unknown, text: string): Error {
  const copy = new Error(text);
  if (error instanceof Error) {
    copy.name = error.name;
    const frames = error.stack?.indexOf('\n    at ') ?? -1;
    copy.stack = `${error.name}: ${text}${frames === -1 ? '' : error.stack?.slice(frames)}`;
  }
  return copy;
}
