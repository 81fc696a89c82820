/**
 * An append on its way to the socket. What all appends to a partition have in common is encoded once, and a batch goes out as
 * it lies in memory: the driver would make text of every argument anew, join it with the batch in a new buffer (224 KiB,
 * its pages touched and its bytes copied a second time), and write each command by itself.
 */
import type { Socket } from 'node:net';
import { APPEND } from '../generated/lua.ts';
import type { Keys } from '../keys.ts';
import { argument } from '../wire/argument.ts';
import { MethodCommand } from '../wire/method-command.ts';
import type { AppendRequest } from './append-batch.ts';

/** A copy of so little costs less than what Node does for each part of a write. */
const MOST_COPIED_BYTES = 2_048;
const END = Buffer.from('\r\n');
const NO_ARGUMENTS: readonly string[] = [];
const REPLY = { replyEncoding: 'utf8' } as const;
const SETTLED = Promise.resolve();

/** What every append to one partition begins with. */
interface Beginning {
  readonly log: string;
  readonly bytes: Buffer;
}

/** By topic and partition; as many as a client appends to, 250 bytes each. */
const beginnings = new WeakMap<Keys, Map<string, Beginning[]>>();

/** Only for a connection: a pipeline asks for the bytes without writing them. */
export class AppendCommand extends MethodCommand {
  readonly #beginning: Beginning;
  readonly #request: AppendRequest;

  constructor(keys: Keys, request: AppendRequest) {
    // Without arguments, which the driver would copy and look through. It needs them for their keys alone.
    super('evalsha', NO_ARGUMENTS as string[], REPLY);
    this.#beginning = beginningOf(keys, request.topic, request.partition);
    this.#request = request;
  }

  override getKeys(): string[] {
    return [this.#beginning.log];
  }

  /** Writes a large batch and what precedes it; returns the rest, which the driver writes. */
  override toWritable(socket: Socket): Buffer {
    leaveTogether(socket);
    const { producerId, producerEpoch, sequence, recordCount, batch } = this.#request;
    const idBytes = Buffer.byteLength(producerId);
    const middle =
      `$${idBytes}\r\n${producerId}\r\n` +
      `${digits(producerEpoch)}${digits(sequence)}${digits(recordCount)}$${batch.length}\r\n`;
    const isCopied = batch.length <= MOST_COPIED_BYTES;
    const begin = this.#beginning.bytes;
    const batchAt = begin.length + middle.length - producerId.length + idBytes;
    const bytes = Buffer.allocUnsafe(batchAt + (isCopied ? batch.length + END.length : 0));
    bytes.set(begin);
    bytes.write(middle, begin.length, idBytes === producerId.length ? 'latin1' : 'utf8');
    if (!isCopied) {
      socket.write(bytes);
      socket.write(batch);
      return END;
    }
    bytes.set(batch, batchAt);
    bytes.set(END, batchAt + batch.length);
    return bytes;
  }
}

/**
 * What is sent together leaves in one write: what several lanes send in one go, and what the answers in one piece of the
 * socket's data set off, whose ways to here are equally long. `process.nextTick`, which would wait for every continuation
 * in between, costs ten times as much.
 */
function leaveTogether(socket: Socket): void {
  if (socket.writableCorked > 0) return;
  socket.cork();
  void SETTLED.then(() => socket.uncork());
}

function beginningOf(keys: Keys, topic: string, partition: number): Beginning {
  let topics = beginnings.get(keys);
  if (topics === undefined) beginnings.set(keys, (topics = new Map<string, Beginning[]>()));
  let known = topics.get(topic);
  if (known === undefined) topics.set(topic, (known = []));
  return (known[partition] ??= encodeBeginning(keys, topic, partition));
}

function encodeBeginning(keys: Keys, topic: string, partition: number): Beginning {
  const { log, state, producers, producerTimes } = keys.partition(topic, partition);
  const arguments_ = ['evalsha', APPEND.sha1, '4', log, state, producers, producerTimes];
  const text = arguments_.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('');
  return { log, bytes: Buffer.from(`*${arguments_.length + 5}\r\n${text}`) };
}

function digits(number: number): string {
  return argument(String(number));
}
