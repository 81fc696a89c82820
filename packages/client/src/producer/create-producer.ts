import { raiseProducerEpoch } from '@millrace/redis';
import type { ClientContext } from '../connect/client-context.ts';
import { IdempotentProducer } from './idempotent-producer.ts';
import { NamedIdentity, OwnIdentity, type ProducerIdentity } from './producer-identity.ts';
import { resolveProducerOptions, type ProducerOptions } from './producer-options.ts';
import type { Producer } from './producer.ts';

/** Throws `INVALID_OPTION` or `INVALID_NAME` (ConfigError). */
export function createProducer(context: ClientContext, options: ProducerOptions): Producer {
  const resolved = resolveProducerOptions(options);
  return new IdempotentProducer(context, resolved, createIdentity(context, resolved.producerId));
}

function createIdentity(
  { command, keys, random }: ClientContext,
  producerId: string | undefined,
): ProducerIdentity {
  if (producerId === undefined) return new OwnIdentity(random);
  return new NamedIdentity(producerId, random, (session, isTaking) =>
    raiseProducerEpoch(command, keys, { producerId, session, isTaking }),
  );
}
