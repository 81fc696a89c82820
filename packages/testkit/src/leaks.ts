/**
 * What a test left behind on the shared Redis: keys and connections under its prefix. A consumer that does not close its
 * connections, or a group that cannot be deleted completely, is a defect that no assertion of the test itself would see.
 */
import { Redis } from 'ioredis';
import { eventually } from './eventually.ts';

export interface LeakScope {
  readonly url: string;
  /** Every key and every connection name of the test starts with it. Letters, digits and `-` only. */
  readonly prefix: string;
}

/** Closing a connection takes a round trip and a tick of the server after the client is done with it. */
const settleMs = 1_000;

/** One line per kind of leak, none when the test was clean. Waits up to a second for connections to close. */
export async function findLeaks(scope: LeakScope): Promise<readonly string[]> {
  assertPrefix(scope.prefix);
  const redis = openConnection(scope.url);
  try {
    const findings = async (): Promise<string[]> => {
      const keys = await listKeys(redis, scope.prefix);
      const names = await listConnectionNames(redis, scope.prefix);
      return [...describeLeak('key', keys), ...describeLeak('connection', names)];
    };
    return await eventually(async () => (await findings()).length === 0, { timeoutMs: settleMs }).then(
      () => [],
      findings,
    );
  } finally {
    redis.disconnect();
  }
}

/** Deletes every key under the prefix. For what an earlier, failed run left, and for tests that write keys by hand. */
export async function deleteKeys(scope: LeakScope): Promise<void> {
  assertPrefix(scope.prefix);
  const redis = openConnection(scope.url);
  try {
    const keys = await listKeys(redis, scope.prefix);
    for (let start = 0; start < keys.length; start += 500)
      await redis.unlink(...keys.slice(start, start + 500));
  } finally {
    redis.disconnect();
  }
}

function openConnection(url: string): Redis {
  return new Redis(url, { maxRetriesPerRequest: 0, retryStrategy: () => null });
}

/** A prefix with a `*` in it would find, and delete, other tests' keys. */
function assertPrefix(prefix: string): void {
  if (!/^[A-Za-z0-9-]+$/.test(prefix)) throw new TypeError(`not a test prefix: ${JSON.stringify(prefix)}`);
}

async function listKeys(redis: Redis, prefix: string): Promise<string[]> {
  const keys = new Set<string>(); // SCAN may give a key twice
  let cursor = '0';
  do {
    const [next, page] = await redis.scan(cursor, 'MATCH', `${prefix}*`, 'COUNT', 1_000);
    for (const key of page) keys.add(key);
    cursor = next;
  } while (cursor !== '0');
  return [...keys].sort();
}

async function listConnectionNames(redis: Redis, prefix: string): Promise<string[]> {
  const list = String(await redis.client('LIST'));
  return [...list.matchAll(/ name=(\S*)/g)]
    .map((match) => match[1] ?? '')
    .filter((name) => name.startsWith(prefix));
}

function describeLeak(kind: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const shown = names.slice(0, 5).join(', ');
  const rest = names.length > 5 ? ` and ${names.length - 5} more` : '';
  return [`${names.length} ${kind}${names.length === 1 ? '' : 's'} left: ${shown}${rest}`];
}
