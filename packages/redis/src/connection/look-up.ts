/**
 * Where the primary is: asked of Sentinels, or of the nodes of a cluster, before every attempt to connect to it. All
 * that are known are asked at once and the first answer counts: one that hangs must not hold up the others. An answer
 * may be out of date; whoever connects to what was a primary is refused (role check, MOVED) and asks again.
 */
import { Redis } from 'ioredis';
import { ConfigError, MillraceError, UnavailableError } from '@millrace/core';
import {
  parseRedisUrl,
  showAddress,
  type ClusterConfig,
  type NodeAddress,
  type SentinelConfig,
} from './connection-config.ts';
import { lookUpOptions } from './connection-options.ts';
import { toMillraceError } from './to-millrace-error.ts';

/** Rejects with a MillraceError. */
export type LookUp = (signal: AbortSignal) => Promise<NodeAddress>;

/** Of a cluster, this many nodes are asked at a time. */
const ASKED_AT_ONCE = 4;

export function lookUpBySentinel(config: SentinelConfig): LookUp {
  const { name } = config;
  return (signal) =>
    askAny(
      config.sentinels.map((sentinel) => ({
        address: sentinel,
        options: lookUpOptions(config, sentinel),
        what: `the Sentinel at ${showAddress(sentinel)}`,
      })),
      async (redis, sentinel) => {
        const reply = await redis.call('sentinel', 'get-master-addr-by-name', name);
        if (isTextList(reply) && reply[0] !== undefined) return { host: reply[0], port: Number(reply[1]) };
        throw new ConfigError(
          'INVALID_OPTION',
          `the Sentinel at ${showAddress(sentinel)} knows no primary of the name ${JSON.stringify(name)}`,
        );
      },
      signal,
    );
}

/** The primaries of a cluster as its nodes tell them; remembers the nodes, because the seeds may go one day. */
export class ClusterLookUp {
  readonly #config: ClusterConfig;
  readonly #seeds: readonly NodeAddress[];
  #known: readonly NodeAddress[] = [];

  constructor(config: ClusterConfig) {
    this.#config = config;
    this.#seeds = config.seeds.map((seed) => {
      const { host, port } = parseRedisUrl(seed);
      return { host, port };
    });
  }

  /** The seeds, and the nodes that have been told of. */
  get nodes(): readonly NodeAddress[] {
    return [...this.#seeds, ...this.#known];
  }

  /** The primary of a slot. */
  ofSlot(slot: number): LookUp {
    return async (signal) => {
      const ranges = await this.ranges(signal);
      const range = ranges.find(({ first, last }) => slot >= first && slot <= last);
      if (range !== undefined) return range.primary;
      throw new UnavailableError(
        'REDIS_REFUSED',
        `no node of the cluster serves slot ${slot} at the moment`,
        {
          details: { slot },
        },
      );
    };
  }

  async ranges(signal: AbortSignal): Promise<readonly SlotRange[]> {
    const reply = await askAny(
      this.#candidates().map((address) => ({
        address,
        options: lookUpOptions(this.#config, address),
        what: `the cluster node at ${showAddress(address)}`,
      })),
      async (redis, address) => readSlots(await redis.cluster('SLOTS'), address),
      signal,
    );
    this.#known = reply.nodes;
    return reply.ranges;
  }

  #candidates(): readonly NodeAddress[] {
    const known = sample(this.#known, ASKED_AT_ONCE / 2);
    return [...known, ...sample(this.#seeds, ASKED_AT_ONCE - known.length)];
  }
}

export interface SlotRange {
  readonly first: number;
  readonly last: number;
  readonly primary: NodeAddress;
}

function readSlots(
  reply: unknown,
  asked: NodeAddress,
): { readonly ranges: readonly SlotRange[]; readonly nodes: readonly NodeAddress[] } {
  const ranges: SlotRange[] = [];
  const nodes = new Map<string, NodeAddress>();
  for (const range of reply as readonly [number, number, ...(readonly [string | null, number])[]][]) {
    const [first, last, ...places] = range;
    const addresses = places.map(([host, port]) => ({
      // Without a name the node means: where you reached me.
      host: host === null || host === '' || host === '?' ? asked.host : host,
      port,
    }));
    for (const address of addresses) nodes.set(showAddress(address), address);
    const [primary] = addresses;
    if (primary !== undefined) ranges.push({ first, last, primary });
  }
  return { ranges, nodes: [...nodes.values()] };
}

interface Candidate {
  readonly address: NodeAddress;
  readonly options: ReturnType<typeof lookUpOptions>;
  /** For messages. */
  readonly what: string;
}

async function askAny<T>(
  candidates: readonly Candidate[],
  ask: (redis: Redis, address: NodeAddress) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const asked = candidates.map(({ options }) => new Redis(options));
  const hangUp = (): void => {
    for (const redis of asked) redis.disconnect();
  };
  signal.addEventListener('abort', hangUp, { once: true });
  try {
    return await Promise.any(
      asked.map(async (redis, index) => {
        const { address, what } = candidates[index] as Candidate;
        // What `connect` rejects with is only that the connection was closed.
        let reason: unknown;
        redis.on('error', (error) => {
          reason = error;
        });
        try {
          await redis.connect();
          return await ask(redis, address);
        } catch (error) {
          const cause = reason ?? error;
          throw isNoneOfThem(cause) ? notThatKind(what) : toMillraceError(cause, `asking ${what}`);
        }
      }),
    );
  } catch (error) {
    throw worthTelling((error as AggregateError).errors);
  } finally {
    signal.removeEventListener('abort', hangUp);
    hangUp();
  }
}

/** A server that knows no `SENTINEL`, or none of `CLUSTER`. */
function isNoneOfThem(error: unknown): boolean {
  return (
    error instanceof Error && /^ERR (unknown command|This instance has cluster support)/i.test(error.message)
  );
}

function notThatKind(what: string): ConfigError {
  return new ConfigError(
    'INVALID_OPTION',
    `${what} is none: it answers as a plain Redis server; for a single server use connect({ url })`,
  );
}

/** What no retry mends is told before what one may: a wrong password before a server that is down. */
function worthTelling(errors: readonly unknown[]): MillraceError {
  const all = errors.filter((error) => error instanceof MillraceError);
  const error = all.find(({ retryable }) => !retryable) ?? all[0];
  return error ?? new UnavailableError('REDIS_UNREACHABLE', 'nobody was there to be asked for the primary');
}

function isTextList(reply: unknown): reply is readonly string[] {
  return Array.isArray(reply) && reply.every((part) => typeof part === 'string');
}

function sample<T>(all: readonly T[], count: number): readonly T[] {
  const left = [...all];
  const taken: T[] = [];
  while (taken.length < count && left.length > 0)
    taken.push(...left.splice(Math.floor(Math.random() * left.length), 1));
  return taken;
}
