/** A real Redis for tests, processes to crash, and waiting without sleeping. The vitest fixture is in `./vitest`. */
export { eventually } from './eventually.ts';
export type { EventuallyOptions } from './eventually.ts';
export type { RedisServer, RedisSource, StartRedisOptions } from './redis/redis-server.ts';
export { NoRedisError, provideRedis, startRedis } from './redis/start-redis.ts';
export type { ProvideRedisOptions } from './redis/start-redis.ts';
export { startProcess } from './process/start-process.ts';
export type {
  ProcessExit,
  StartedProcess,
  StartProcessOptions,
  WaitForOptions,
} from './process/start-process.ts';
export { deleteKeys, findLeaks } from './leaks.ts';
export type { LeakScope } from './leaks.ts';
export { VirtualClock } from './virtual-clock.ts';
export type {
  AckClass,
  EventStamp,
  FactEvent,
  FactFields,
  FactName,
  FailureEvent,
  HistoryEvent,
  HistoryFacts,
  HistoryOperations,
  InvokeEvent,
  InvokeFields,
  MayLose,
  OkEvent,
  OkFields,
  OperationName,
} from './history/history-event.ts';
export { HistoryWriter, openHistory } from './history/history-writer.ts';
export type { HistoryFile, HistoryWriterOptions, OpenHistoryOptions } from './history/history-writer.ts';
export { mergeHistories, parseHistory, readHistories } from './history/read-histories.ts';
