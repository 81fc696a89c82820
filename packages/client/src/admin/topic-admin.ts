/** The part of the admin interface that is about topics. */
import { isDeepStrictEqual } from 'node:util';
import { ConfigError, parseName, partitionKey } from '@millrace/core';
import { RedisLog, RedisTopicStore } from '@millrace/redis';
import type { ClientContext } from '../connect/client-context.ts';
import { describeValue } from '../options/describe-value.ts';
import { verifyOptionNames, type OptionNames } from '../options/verify-option-names.ts';
import { unknownTopic } from '../topic/unknown-topic.ts';
import { attempt } from './attempt.ts';
import type { Admin, CreateTopicOptions, TopicPartitionDetails } from './admin.ts';
import { parseTopicLimits } from './topic-limits.ts';

export type TopicAdmin = Pick<
  Admin,
  | 'createTopic'
  | 'listTopics'
  | 'describeTopic'
  | 'addPartitions'
  | 'setTopicLimits'
  | 'deleteTopic'
  | 'offsetForTimestamp'
>;

const CREATE_TOPIC: OptionNames<Required<CreateTopicOptions>> = { partitions: true, limits: true };

export function createTopicAdmin({ command, keys }: ClientContext): TopicAdmin {
  const store = new RedisTopicStore(command, keys);
  const log = new RedisLog(command, keys);
  return {
    async createTopic(name, options) {
      parseName('topic', name);
      verifyOptionNames('topic option', options, CREATE_TOPIC);
      const { partitions, limits: given } = options;
      const limits = given === undefined ? undefined : parseTopicLimits(given);
      const result = await attempt(command, `creating topic "${name}"`, () =>
        store.create(name, partitions, limits),
      );
      if (result.status === 'EXISTS' && result.partitions !== partitions) {
        throw new ConfigError(
          'TOPIC_EXISTS',
          `topic "${name}" exists with ${result.partitions} partitions, not ${partitions}: use addPartitions to raise them`,
          { details: { topic: name, partitions: result.partitions } },
        );
      }
      if (result.status === 'EXISTS' && limits !== undefined && !isDeepStrictEqual(result.limits, limits)) {
        throw new ConfigError(
          'TOPIC_EXISTS',
          `topic "${name}" exists with the limits ${JSON.stringify(result.limits)}: use setTopicLimits to change them`,
          { details: { topic: name, partitions: result.partitions } },
        );
      }
    },

    async listTopics() {
      const topics = await attempt(command, 'listing topics', () => store.list());
      return topics.map(({ topic, partitions, createdAtMs }) => ({ name: topic, partitions, createdAtMs }));
    },

    async describeTopic(name) {
      parseName('topic', name);
      return attempt(command, `describing topic "${name}"`, async () => {
        const description = await store.describe(name);
        if (description === null) throw unknownTopic(name);
        const { partitions: count, createdAtMs, limits } = description;
        const names = Array.from({ length: count }, (_, partition) => ({ topic: name, partition }));
        const logs = await log.describeMany(names);
        const partitions: TopicPartitionDetails[] = [];
        for (const { partition } of names) {
          const found = logs.get(partitionKey(name, partition));
          // Deleted between the two questions.
          if (found === undefined) throw unknownTopic(name);
          partitions.push({ partition, logStart: found.start, logEnd: found.end, bytes: found.bytes });
        }
        return { name, createdAtMs, limits: limits?.limits ?? {}, partitions };
      });
    },

    async addPartitions(name, total) {
      parseName('topic', name);
      const result = await attempt(command, `adding partitions to topic "${name}"`, () =>
        store.addPartitions(name, total),
      );
      switch (result.status) {
        case 'ADDED':
          return;
        case 'UNKNOWN_TOPIC':
          throw unknownTopic(name);
        case 'FEWER_PARTITIONS':
          throw new ConfigError(
            'FEWER_PARTITIONS',
            `topic "${name}" has ${result.partitions} partitions and cannot have only ${total}: their records would be ` +
              'lost. Create another topic and copy them',
            { details: { topic: name, partitions: result.partitions } },
          );
        default:
          result satisfies never;
      }
    },

    async setTopicLimits(name, given) {
      parseName('topic', name);
      const limits = parseTopicLimits(given);
      const result = await attempt(command, `limiting topic "${name}"`, () => store.setLimits(name, limits));
      if (result === 'UNKNOWN_TOPIC') throw unknownTopic(name);
    },

    async deleteTopic(name) {
      parseName('topic', name);
      const result = await attempt(command, `deleting topic "${name}"`, () => store.delete(name));
      if (result === 'UNKNOWN_TOPIC') throw unknownTopic(name);
    },

    async offsetForTimestamp(name, partition, timestampMs) {
      parseName('topic', name);
      if (!Number.isFinite(timestampMs)) {
        throw new ConfigError(
          'INVALID_OPTION',
          `timestampMs must be a number of milliseconds, not ${describeValue(timestampMs)}`,
        );
      }
      const where = `searching ${name}/${partition} by time`;
      return attempt(command, where, () => log.offsetForTimestamp(name, partition, timestampMs));
    },
  };
}
