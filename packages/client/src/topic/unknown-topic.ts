import { ConfigError } from '@millrace/core';

/** Topics are never made by sending to them: a misspelt name would quietly become a place where records wait for ever. */
export function unknownTopic(topic: string): ConfigError {
  return new ConfigError(
    'UNKNOWN_TOPIC',
    `there is no topic "${topic}": create it with admin.createTopic(${JSON.stringify(topic)}, { partitions: 8 })`,
    { details: { topic } },
  );
}
