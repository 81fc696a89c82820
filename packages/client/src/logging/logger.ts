/**
 * Where Millrace reports to. The shape is pino's, so a pino logger, or a child of one, is passed as it is; anything
 * else needs four methods. Log objects hold ids, counts and error codes, never a payload or a credential.
 */

export interface Logger {
  debug(fields: object, message?: string): void;
  info(fields: object, message?: string): void;
  warn(fields: object, message?: string): void;
  error(fields: object, message?: string): void;
}

export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
};
