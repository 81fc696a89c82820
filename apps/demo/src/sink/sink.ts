/**
 * Where the workers put their results: the demo's own store, in the part of the user's database. It outlives a crash of
 * a worker, and it is fenced by the epoch that millrace hands to every handler, as any store downstream can be: a write
 * under an epoch below the highest seen is refused. It also notes who applied which record when, for the verdict.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';

import { pathBytes } from '../history/change.ts';
import type { Tree } from '../history/change.ts';
import type { SinkEntry } from '../verdict/evidence.ts';
import { parseSinkEntry } from './sink-entry.ts';

export interface SinkWrite {
  readonly partition: number;
  readonly epoch: number;
  readonly worker: string;
  readonly offset: number;
  readonly appendedMs: number;
  /** One character per byte. */
  readonly path: string;
  /** `<mode> <object id>`, or empty where the path is gone. */
  readonly entry: string;
}

export type SinkResult = 'APPLIED' | 'REFUSED';

export interface SinkProgress {
  /** Offset after the highest applied one. */
  readonly next: number;
  /** Applications, repeated ones included. */
  readonly applied: number;
  readonly refused: number;
}

/** Entries of a partition's history, or fields of its tree, that are read at once. */
const PAGE = 5000;

const APPLY_CHANGE = readScript('apply-change');
const OPEN_OWNERSHIP = readScript('open-ownership');

export class Sink implements AsyncDisposable {
  readonly #redis: Redis;
  readonly #prefix: string;

  private constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  /** `name` shows in CLIENT LIST. Rejects when Redis cannot be reached. */
  static async connect(url: string, prefix: string, name: string): Promise<Sink> {
    const redis = new Redis(url, {
      connectionName: `${prefix}:${name}:sink`,
      lazyConnect: true,
      // A write that is sent a second time would be noted a second time: fail it, the handler is called again.
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      enableOfflineQueue: false,
    });
    // Calls reject with what went wrong; without a listener the event alone would end the process.
    redis.on('error', () => {});
    await redis.connect();
    return new Sink(redis, prefix);
  }

  async apply(write: SinkWrite): Promise<SinkResult> {
    const { tree, history, fence } = this.#keys(write.partition);
    const { epoch, offset, worker, appendedMs, path, entry } = write;
    return this.#run(
      APPLY_CHANGE,
      [tree, history, fence],
      [epoch, offset, worker, appendedMs, pathBytes(path), entry],
    );
  }

  /** Shuts out the owners before `epoch`, and notes when the new one was ready. */
  async open(partition: number, epoch: number, worker: string): Promise<void> {
    const { history, fence } = this.#keys(partition);
    await this.#run(OPEN_OWNERSHIP, [history, fence], [epoch, worker]);
  }

  async progress(partitions: number): Promise<SinkProgress[]> {
    const pipeline = this.#redis.pipeline();
    for (let partition = 0; partition < partitions; partition += 1) {
      pipeline.hmget(this.#keys(partition).fence, 'next', 'applied', 'refused');
    }
    const replies = (await pipeline.exec()) ?? [];
    return replies.map(([error, reply]) => {
      if (error !== null) throw error;
      const [next, applied, refused] = (reply as (string | null)[]).map(Number);
      return { next: next ?? 0, applied: applied ?? 0, refused: refused ?? 0 };
    });
  }

  async history(partition: number): Promise<SinkEntry[]> {
    const { history } = this.#keys(partition);
    const entries: SinkEntry[] = [];
    for (;;) {
      const page = await this.#redis.lrange(history, entries.length, entries.length + PAGE - 1);
      entries.push(...page.map(parseSinkEntry));
      if (page.length < PAGE) return entries;
    }
  }

  /** What the workers have built, all partitions together. */
  async tree(partitions: number): Promise<Tree> {
    const whole: Tree = new Map();
    for (let partition = 0; partition < partitions; partition += 1) {
      for (const [path, entry] of await this.#partitionTree(partition)) {
        // A path belongs to one partition. Found in two, it is kept under a name that no path can have, and no tree matches.
        whole.set(whole.has(path) ? `${path}\0in partition ${partition} too` : path, entry);
      }
    }
    return whole;
  }

  /** The clock that the history is written by: milliseconds since 1970, with fractions. */
  async nowMs(): Promise<number> {
    const [seconds, microseconds] = (await this.#redis.time()).map(Number);
    return (seconds ?? 0) * 1000 + (microseconds ?? 0) / 1000;
  }

  async delete(partitions: number): Promise<void> {
    for (let partition = 0; partition < partitions; partition += 1) {
      await this.#redis.unlink(Object.values(this.#keys(partition)));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#redis.quit().catch(() => this.#redis.disconnect());
  }

  async #partitionTree(partition: number): Promise<Tree> {
    const tree: Tree = new Map();
    let cursor = '0';
    do {
      // Not HGETALL: its reply is turned into an object, whose keys are text, and a path need not be.
      const [next, fields] = await this.#redis.hscanBuffer(this.#keys(partition).tree, cursor, 'COUNT', PAGE);
      for (let i = 0; i < fields.length; i += 2) {
        tree.set(fields[i]?.toString('latin1') ?? '', fields[i + 1]?.toString('latin1') ?? '');
      }
      cursor = next.toString();
    } while (cursor !== '0');
    return tree;
  }

  #keys(partition: number): { readonly tree: string; readonly history: string; readonly fence: string } {
    const base = `${this.#prefix}:{sink/${partition}}`;
    return { tree: `${base}:tree`, history: `${base}:history`, fence: `${base}:fence` };
  }

  async #run(script: Script, keys: string[], args: (string | number | Buffer)[]): Promise<SinkResult> {
    const call = (): Promise<unknown> => this.#redis.evalsha(script.sha1, keys.length, ...keys, ...args);
    const reply = await call().catch(async (error: unknown) => {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return this.#redis.eval(script.text, keys.length, ...keys, ...args);
    });
    return (reply as [string])[0] === 'REFUSED' ? 'REFUSED' : 'APPLIED';
  }
}

interface Script {
  readonly sha1: string;
  readonly text: string;
}

function readScript(name: string): Script {
  const text = readFileSync(new URL(`./${name}.lua`, import.meta.url), 'utf8');
  return { text, sha1: createHash('sha1').update(text).digest('hex') };
}
