/**
 * Names of topics, groups and instances, and the partition's written form.
 *
 * The alphabet keeps every name inside one Redis hash tag and one ACL pattern: braces would move a key to another
 * cluster slot, `:` and `/` are separators of the key layout, and whitespace or glob characters would widen a pattern.
 */
import { ConfigError } from './errors.ts';

const NAME = /^[A-Za-z0-9._-]{1,200}$/;

/** Starts with it are Millrace's own topics, so that a user's topic can never collide with one. */
const RESERVED_PREFIX = '__';

export type NameKind = 'topic' | 'group' | 'instance id' | 'producer id';

/** Returns the name; throws `INVALID_NAME` (ConfigError) when it is not usable. */
export function parseName(kind: NameKind, name: string): string {
  if (typeof name !== 'string' || !NAME.test(name) || name === '.' || name === '..') {
    throw new ConfigError(
      'INVALID_NAME',
      `invalid ${kind} name ${JSON.stringify(name)}: use 1 to 200 of A-Z a-z 0-9 . _ - (and neither "." nor "..")`,
    );
  }
  if (name.startsWith(RESERVED_PREFIX)) {
    throw new ConfigError(
      'INVALID_NAME',
      `${kind} name "${name}" is reserved: names that start with "${RESERVED_PREFIX}" belong to Millrace; choose another`,
    );
  }
  return name;
}

/** `topic/partition`. A name cannot hold a slash, so the form is unambiguous and doubles as the cluster hash tag. */
export type PartitionKey = `${string}/${number}`;

export function partitionKey(topic: string, partition: number): PartitionKey {
  return `${topic}/${partition}`;
}

export function parsePartitionKey(key: string): { topic: string; partition: number } {
  const slash = key.lastIndexOf('/');
  return { topic: key.slice(0, slash), partition: Number(key.slice(slash + 1)) };
}
