/** The connected client: where producers, consumers and the admin interface come from, and how it all ends. */
import { ClosedError, type MillraceError } from '@millrace/core';
import {
  closeCommandConnection,
  createKeys,
  inspectServer,
  openCommandConnection,
  toMillraceError,
  type CommandConnection,
  type ServerWarning,
} from '@millrace/redis';
import { createAdmin } from '../admin/create-admin.ts';
import type { Admin } from '../admin/admin.ts';
import { Consumer, type ConsumerOptions } from '../consumer/index.ts';
import type { TopicSelector } from '../topic/topic-definition.ts';
import { systemClock, systemRandom } from '../clock/system-clock.ts';
import { silentLogger, type Logger } from '../logging/logger.ts';
import { createProducer } from '../producer/create-producer.ts';
import type { Producer } from '../producer/producer.ts';
import type { ProducerOptions } from '../producer/producer-options.ts';
import type { Backend } from './backend.ts';
import { connectionName, type ClientContext } from './client-context.ts';
import { CloseOrder } from './close-order.ts';
import { createRedisBackend } from './redis-backend.ts';
import { resolveConnectOptions, type ConnectOptions } from './connect-options.ts';

export interface Millrace extends AsyncDisposable {
  /** Throws `INVALID_OPTION` or `INVALID_NAME` (ConfigError). */
  producer(options?: ProducerOptions): Producer;
  /** A member of a group; it joins with `run` or `for await`. Throws `INVALID_OPTION` or `INVALID_NAME` (ConfigError). */
  consumer<const T extends TopicSelector>(options: ConsumerOptions<T>): Consumer<T>;
  readonly admin: Admin;
  /**
   * Closes consumers (handlers finish and are committed), then producers (what was sent is delivered), then the
   * connection. Safe to call twice.
   */
  close(): Promise<void>;
}

/**
 * Connects to Redis and checks that it can be trusted with records: what is wrong with its configuration is told as a
 * warning that names the setting.
 *
 * Throws `REDIS_UNREACHABLE` (UnavailableError) with host and port, `AUTHENTICATION_FAILED`, `REDIS_TOO_OLD`,
 * `TLS_FAILED`, `PERMISSION_DENIED` or `INVALID_OPTION` (ConfigError). No message ever holds a password.
 */
export function connect(options: string | ConnectOptions = {}): Promise<Millrace> {
  return connectThrough(options, (backend) => backend);
}

/** Not public: `decorate` may put itself between consumers and Redis, as the fault tests do to write a history. */
export async function connectThrough(
  options: string | ConnectOptions,
  decorate: (backend: Backend) => Backend,
): Promise<Millrace> {
  const { config, prefix, name } = resolveConnectOptions(options, process.env);
  const choice = typeof options === 'string' ? undefined : options.logger;
  const logger = choice === undefined || choice === false ? silentLogger : choice;

  const command = await openCommandConnection(config, connectionName({ prefix, name }, 'command'));
  try {
    const server = await inspectServer(command);
    if (choice !== false) for (const warning of server.warnings) tell(warning, choice);
    logger.info({ name, prefix, redisVersion: server.version }, 'connected to Redis');
  } catch (error) {
    await closeCommandConnection(command);
    throw error;
  }
  logConnectionState(command, logger);

  const closeOrder = new CloseOrder();
  const context: Omit<ClientContext, 'backend'> = {
    config,
    prefix,
    keys: createKeys(prefix),
    name,
    command,
    logger,
    onUnheard: choice === undefined ? warnProcess : () => {},
    clock: systemClock,
    random: systemRandom,
    onClose: (stage, close) => closeOrder.add(stage, close),
  };
  return createMillrace({ ...context, backend: decorate(createRedisBackend(context)) }, closeOrder);
}

function createMillrace(context: ClientContext, closeOrder: CloseOrder): Millrace {
  let closing: Promise<void> | undefined;
  const ensureOpen = (): void => {
    if (closing !== undefined) throw new ClosedError('this client was closed: connect again');
  };
  const closeEverything = async (): Promise<void> => {
    try {
      await closeOrder.closeAll();
    } finally {
      await closeCommandConnection(context.command);
    }
  };
  const close = (): Promise<void> => (closing ??= closeEverything());
  return {
    producer(options = {}) {
      ensureOpen();
      return createProducer(context, options);
    },
    consumer(options) {
      ensureOpen();
      return new Consumer(context, options);
    },
    admin: createAdmin(context),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function warnProcess({ message, code }: MillraceError): void {
  process.emitWarning(message, { type: 'MillraceWarning', code });
}

function tell(warning: ServerWarning, logger: Logger | undefined): void {
  const { setting, value, message } = warning;
  if (logger === undefined) process.emitWarning(message, { type: 'MillraceWarning', code: setting });
  else logger.warn({ setting, value }, message);
}

function logConnectionState(command: CommandConnection, logger: Logger): void {
  // Every producer and consumer listens on it.
  command.setMaxListeners(0);
  command.on('reconnecting', (delayMs: number) =>
    logger.warn({ delayMs }, 'the connection to Redis was lost'),
  );
  command.on('ready', () => logger.info({}, 'connected to Redis again'));
  command.on('error', (error: unknown) => {
    const { code, message } = toMillraceError(error, 'the connection to Redis');
    logger.debug({ code }, message);
  });
}
