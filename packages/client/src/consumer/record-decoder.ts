/** From stored records to what handlers get, by what the consumer subscribed to. */
import type { StoredBatch } from '@millrace/core';
import type { BatchRecord } from '@millrace/redis';
import { decodeValue } from '../topic/decode-value.ts';
import type { AnyTopicDefinition, TopicSelector } from '../topic/topic-definition.ts';
import { ConsumerRecord } from './consumer-record.ts';
import type { RecordDecoder } from './lane-worker.ts';
import type { Lane } from './lane.ts';

export function recordDecoder<V>(selectors: readonly TopicSelector[]): RecordDecoder<V> {
  const definitions = new Map<string, AnyTopicDefinition>();
  for (const selector of selectors) {
    if (typeof selector !== 'string' && !(selector instanceof RegExp))
      definitions.set(selector.name, selector);
  }
  return (batch: StoredBatch, record: BatchRecord, lane: Lane) => {
    const definition = definitions.get(lane.topic);
    const make = (value: unknown): ConsumerRecord<V> =>
      new ConsumerRecord<V>(lane.topic, lane.partition, batch.appendedMs, record, value as V);
    if (definition === undefined) return make(record.value);
    const value = decodeValue(definition, record.value, {
      topic: lane.topic,
      partition: lane.partition,
      offset: record.offset,
    });
    return value instanceof Promise ? value.then(make) : make(value);
  };
}
