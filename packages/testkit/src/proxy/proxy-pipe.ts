/**
 * One direction of one proxied connection: bytes in order, held back or late as told. Holding means not reading: the sender
 * meets a full window as it would behind a network that drops its packets, and what it had sent arrives when the network
 * is whole again, as TCP's retransmission makes it. The end of a stream waits in the same queue as its bytes.
 */
import type { Socket } from 'node:net';
import { resetSocket } from './reset-socket.ts';

export interface PipeState {
  readonly isHeld: boolean;
  readonly delayMs: number;
}

type Item = { readonly dueMs: number } & (
  | { readonly kind: 'data'; readonly chunk: Buffer }
  | { readonly kind: 'end' }
  | { readonly kind: 'reset' }
);

/** Late bytes in memory before the sender is made to wait. */
const maxQueuedBytes = 16 * 1024 * 1024;

export class ProxyPipe {
  readonly #source: Socket;
  readonly #sink: Socket;
  readonly #queue: Item[] = [];
  #queuedBytes = 0;
  #isHeld = false;
  #delayMs = 0;
  #isSinkFull = false;
  #isDetached = false;
  #timer: NodeJS.Timeout | undefined;

  /** `inspect` sees every chunk as it is read and gives what of it shall go on. */
  constructor(source: Socket, sink: Socket, inspect: (chunk: Buffer) => Buffer) {
    this.#source = source;
    this.#sink = sink;
    source.on('data', (chunk: Buffer) => {
      if (this.#isDetached) return;
      const passed = inspect(chunk);
      if (passed.length > 0) this.#push({ kind: 'data', chunk: passed, dueMs: this.#due() });
    });
    source.on('end', () => this.#push({ kind: 'end', dueMs: this.#due() }));
    source.on('close', (hadError) => {
      if (hadError) this.#push({ kind: 'reset', dueMs: this.#due() });
    });
    sink.on('drain', () => {
      this.#isSinkFull = false;
      this.#flush();
    });
  }

  apply({ isHeld, delayMs }: PipeState): void {
    this.#isHeld = isHeld;
    this.#delayMs = delayMs;
    this.#flush();
  }

  /** From here on what comes is read and forgotten, and the sink is left as it is. */
  detach(): void {
    this.#isDetached = true;
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    clearTimeout(this.#timer);
    this.#source.resume();
  }

  /** Only the head of the queue is asked whether it is due: a delay that shrinks does not reorder. */
  #due(): number {
    return performance.now() + this.#delayMs;
  }

  #push(item: Item): void {
    if (this.#isDetached) return;
    this.#queue.push(item);
    if (item.kind === 'data') this.#queuedBytes += item.chunk.length;
    this.#flush();
  }

  #flush(): void {
    if (this.#isDetached) return;
    clearTimeout(this.#timer);
    while (!this.#isHeld && !this.#isSinkFull) {
      const next = this.#queue[0];
      if (next === undefined) break;
      const waitMs = next.dueMs - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#flush(), waitMs).unref();
        break;
      }
      this.#queue.shift();
      this.#deliver(next);
    }
    if (this.#isHeld || this.#isSinkFull || this.#queuedBytes > maxQueuedBytes) this.#source.pause();
    else this.#source.resume();
  }

  #deliver(item: Item): void {
    switch (item.kind) {
      case 'data':
        this.#queuedBytes -= item.chunk.length;
        if (!this.#sink.destroyed) this.#isSinkFull = !this.#sink.write(item.chunk);
        return;
      case 'end':
        this.#sink.end();
        return;
      case 'reset':
        resetSocket(this.#sink);
        return;
      default:
        item satisfies never;
    }
  }
}
