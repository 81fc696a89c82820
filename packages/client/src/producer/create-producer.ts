import type { ClientContext } from '../connect/client-context.ts';
import { IdempotentProducer } from './idempotent-producer.ts';
import { OwnIdentity } from './producer-identity.ts';
import { resolveProducerOptions, type ProducerOptions } from './producer-options.ts';
import type { Producer } from './producer.ts';

/** Throws `INVALID_OPTION` or `INVALID_NAME` (ConfigError). */
export function createProducer(context: ClientContext, options: ProducerOptions): Producer {
  const resolved = resolveProducerOptions(options);
  return new IdempotentProducer(context, resolved, new OwnIdentity(context.random));
}
