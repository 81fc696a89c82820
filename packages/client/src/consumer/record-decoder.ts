/** From stored records to what handlers get, by what the consumer subscribed to. */
import { decodeValue } from '../topic/decode-value.ts';
import type { AnyTopicDefinition, TopicSelector } from '../topic/topic-definition.ts';
import { ConsumerRecord, type DeliveredBatch } from './consumer-record.ts';

/** Makes the record at a place of a batch; async only where a schema is. Throws DataError `UNDECODABLE_RECORD`. */
export type RecordDecoder<V> = (
  batch: DeliveredBatch,
  index: number,
  place: number,
) => ConsumerRecord<V> | Promise<ConsumerRecord<V>>;

/** By topic; null for a topic whose values are bytes, which nothing has to be done for before they are asked for. */
export type RecordDecoders<V> = (topic: string) => RecordDecoder<V> | null;

export function recordDecoders<V>(selectors: readonly TopicSelector[]): RecordDecoders<V> {
  const definitions = new Map<string, AnyTopicDefinition>();
  for (const selector of selectors) {
    if (typeof selector !== 'string' && !(selector instanceof RegExp))
      definitions.set(selector.name, selector);
  }
  return (topic) => {
    const definition = definitions.get(topic);
    return definition === undefined ? null : recordDecoder<V>(definition);
  };
}

function recordDecoder<V>(definition: AnyTopicDefinition): RecordDecoder<V> {
  return (batch, index, place) => {
    const { topic, partition, records } = batch;
    const stored = { topic, partition, offset: records.baseOffset + index };
    const make = (value: unknown): ConsumerRecord<V> =>
      new ConsumerRecord<V>(batch, index, place, value as V);
    const value = decodeValue(definition, records.value(place), stored);
    return value instanceof Promise ? value.then(make) : make(value);
  };
}
