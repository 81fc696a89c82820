/**
 * What every way of getting a Redis hands out, and what a caller may ask for. Where the server comes from is decided in
 * `start-redis.ts`; one module per source (`embedded-redis`, `docker-redis`, `redis-url`) makes the object.
 */

export type RedisSource = 'url' | 'binary' | 'docker';

export interface RedisServer extends AsyncDisposable {
  /** `redis://` URL, with the password when one is set: do not print it. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly source: RedisSource;
  /** Process id of the server; only when this process started it. Changes with `restart`. */
  readonly pid?: number;
  /** Ends the server and deletes its data. A Redis given by `REDIS_URL` is left alone. Safe to call twice. */
  stop(): Promise<void>;
  /** Sends a signal to the server itself, e.g. `SIGSTOP` to freeze it. Throws for a Redis given by `REDIS_URL`. */
  signal(name: NodeJS.Signals): Promise<void>;
  /**
   * Ends the server with the signal (default `SIGKILL`, a crash) and starts it again on the same port and data.
   * Also starts a server that has died. Only for `binary`.
   */
  restart?(signal?: 'SIGKILL' | 'SIGTERM'): Promise<void>;
}

export interface StartRedisOptions {
  /**
   * Lines of redis.conf that replace or add to the defaults (append-only file on, fsync every second, noeviction, no
   * snapshots), e.g. `{ appendonly: 'no', 'maxmemory-policy': 'allkeys-lru' }`. An array gives the line several times.
   */
  readonly directives?: Readonly<Record<string, string | readonly string[]>>;
  /** Password of the default user. Default: none. */
  readonly requirepass?: string;
  /** Fixed port on loopback. Default: a free one. */
  readonly port?: number;
  /** How long the server may take until it answers, loading its data included. Default 30,000. */
  readonly startTimeoutMs?: number;
}

export function redisUrl(host: string, port: number, password: string | undefined): string {
  const credentials = password === undefined ? '' : `:${encodeURIComponent(password)}@`;
  return `redis://${credentials}${host}:${port}`;
}
