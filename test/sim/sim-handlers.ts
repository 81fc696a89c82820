/** What users' handlers do: return at once, take their time, throw, hang until their signal, take a part of a batch. */
import type { Clock } from '@millrace/core';
import type { EachBatch, EachRecord } from 'millrace';
import { delay } from '../../packages/client/src/clock/delay.ts';
import type { Handlers } from '../../packages/client/src/consumer/handlers.ts';
import type { DeliveryCheck } from './delivery-check.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { GroupSettings, World } from './world.ts';

type Value = Buffer | null;

export function handlersOf(
  world: World,
  settings: GroupSettings,
  check: DeliveryCheck,
  memberId: () => string,
  clock: Clock,
  random: SeededRandom,
): Handlers<Value> {
  const group = settings.name;

  async function work(signal: AbortSignal): Promise<void> {
    const fate = random.next();
    if (fate < 0.7 || world.isResting) return;
    if (fate < 0.93) await delay(clock, random.next() * 20);
    else if (fate < 0.99) await delay(clock, random.next() * 300);
    // Past every deadline, and then some more: nobody makes a handler obey.
    else if (fate < 0.998) await delay(clock, settings.drainTimeoutMs * (0.5 + random.next() * 2));
    else await delay(clock, 10_000, signal);
    if (random.chance(0.01)) throw new Error('the handler says no');
  }

  async function eachRecord({ topic, partition, epoch, record, signal }: EachRecord<Value>): Promise<void> {
    const { offset } = record;
    const value = record.text() ?? '';
    const end = check.begin({ topic, partition, epoch }, offset, [value], memberId());
    try {
      await work(signal);
    } catch (error) {
      end(offset, true);
      throw error;
    }
    world.oracle.finished(group, value);
    end(offset + 1, false);
  }

  async function eachBatch({
    batch,
    epoch,
    signal,
    resolveOffset,
    isStale,
  }: EachBatch<Value>): Promise<void> {
    const { topic, partition, records, firstOffset, lastOffset } = batch;
    const values = records.map((record) => record.text() ?? '');
    const end = check.begin({ topic, partition, epoch }, firstOffset, values, memberId());
    let resolved = firstOffset;
    try {
      for (const record of records) {
        if (random.chance(0.2)) await work(signal);
        world.oracle.finished(group, record.text() ?? '');
        if (random.chance(0.3) && !isStale()) {
          resolveOffset(record.offset);
          resolved = record.offset + 1;
        } else if (random.chance(0.01)) {
          throw new Error('the handler says no');
        }
      }
    } catch (error) {
      end(resolved, true);
      throw error;
    }
    end(lastOffset + 1, false);
  }

  return settings.handler === 'eachRecord' ? { eachRecord } : { eachBatch };
}
