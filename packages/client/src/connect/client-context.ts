/**
 * What the parts of one connected client share: its configuration, its connection for commands, its logger, and the
 * order in which it is taken down.
 */
import type { Clock, MillraceError, Random } from '@millrace/core';
import type { CommandConnection, ConnectionConfig, Keys } from '@millrace/redis';
import type { Logger } from '../logging/logger.ts';
import type { Backend } from './backend.ts';

/**
 * Closing goes stage by stage: handlers of consumers may still send through producers, so producers are flushed after
 * all consumers are closed. The shared connection goes last.
 */
export type CloseStage = 'consumer' | 'producer';

export interface ClientContext {
  /** For further connections, also from a worker thread. */
  readonly config: ConnectionConfig;
  readonly prefix: string;
  readonly keys: Keys;
  /** Name of this client; connections are called `<prefix>:<name>:<role>`. */
  readonly name: string;
  /** Shared connection for scripts and queries. Never block on it. */
  readonly command: CommandConnection;
  /** What consumers ask of Redis. They use nothing else of it. */
  readonly backend: Backend;
  readonly logger: Logger;
  /** An error that no listener took. With neither listener nor logger it would be silence: it becomes a process warning. */
  readonly onUnheard: (error: MillraceError) => void;
  readonly clock: Clock;
  readonly random: Random;
  /** Calls `close` when the client is closed. Returns a function that takes it off, for who was closed before. */
  onClose(stage: CloseStage, close: () => Promise<void>): () => void;
}

/** What `connectionName` takes: the leading prefix tells whose connections these are in CLIENT LIST. */
export function connectionName(context: Pick<ClientContext, 'prefix' | 'name'>, role: string): string {
  return `${context.prefix}:${context.name}:${role}`;
}
