/** The options that say when a record counts as stored. */
import { ConfigError } from '@millrace/core';
import { MAX_BLOCK_MS, type Durability } from '@millrace/redis';
import { describeValue } from '../options/describe-value.ts';
import { bounded } from './bounded.ts';

export type Acks = 'memory' | 'replicated' | 'fsynced';

interface AcksOptions {
  readonly acks?: Acks | undefined;
  readonly replicas?: number | undefined;
  readonly ackTimeoutMs?: number | undefined;
}

/** Above one second, which a disk with `appendfsync everysec` may take. */
const DEFAULT_ACK_TIMEOUT_MS = 3_000;
const MAX_REPLICAS = 100;
/** What kafkajs takes there. */
const OF_KAFKAJS = `kafkajs' 1 is 'memory', its -1 is 'replicated', and there is no 0: use 'memory' and do not await`;

/** `null` where the answer to the append is all that is asked for. Throws `INVALID_OPTION` (ConfigError). */
export function resolveDurability(options: AcksOptions, deliveryTimeoutMs: number): Durability | null {
  const { acks = 'memory', replicas, ackTimeoutMs } = options;
  if (acks !== 'memory' && acks !== 'replicated' && acks !== 'fsynced') {
    throw new ConfigError(
      'INVALID_OPTION',
      `acks must be 'memory', 'replicated' or 'fsynced', not ${describeValue(acks)} (${OF_KAFKAJS})`,
    );
  }
  if (acks === 'memory') {
    const unused = Object.entries({ replicas, ackTimeoutMs }).find(([, value]) => value !== undefined);
    if (unused === undefined) return null;
    throw new ConfigError(
      'INVALID_OPTION',
      `${unused[0]} says nothing with acks 'memory', which waits for no copy: set acks to 'replicated' or 'fsynced'`,
    );
  }
  const least = acks === 'replicated' ? 1 : 0;
  return {
    acks,
    replicas: whole('replicas', bounded('replicas', replicas ?? least, least, MAX_REPLICAS)),
    timeoutMs: whole(
      'ackTimeoutMs',
      bounded(
        'ackTimeoutMs',
        ackTimeoutMs ?? Math.min(DEFAULT_ACK_TIMEOUT_MS, Math.ceil(deliveryTimeoutMs)),
        1,
        Math.min(MAX_BLOCK_MS, Math.ceil(deliveryTimeoutMs)),
      ),
    ),
  };
}

/** Redis takes no fractions. */
function whole(name: string, value: number): number {
  if (Number.isInteger(value)) return value;
  throw new ConfigError('INVALID_OPTION', `${name} must be a whole number, not ${value}`);
}
