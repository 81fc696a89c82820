/**
 * A command of the driver that is settled by methods. The driver makes two closures for each of its commands and stores
 * them as the properties `resolve` and `reject`. V8 14 keeps an object that is given a closure in that way, and all that it
 * refers to, through its young collections (`node --trace-gc`; not so in Node 20): 900 bytes of each command grew old, a
 * young collection took 3 to 6 ms instead of one, and a producer of a thousand records a second spent another ten with a
 * full one every few seconds. What Promise.withResolvers gives is no such closure.
 */
import { Command } from 'ioredis';

/** What the driver keeps to itself. Its constructor calls `initPromise`, once; a pipeline would call it again. */
interface Inside {
  isResolved: boolean;
  isSettled: boolean;
  transformed: boolean;
  promise: Promise<unknown>;
  fulfilPromise: (value: unknown) => void;
  rejectPromise: (error: Error) => void;
  _clearTimers(): void;
  stringifyArguments(): void;
  transformReply(reply: unknown): unknown;
}

/** Without a callback, and not for MSET, HSET and the like, whose arguments or replies the driver takes in other shapes. */
export class MethodCommand extends Command {}

// Not as methods of the class: to TypeScript two of them are the driver's properties, and the third is private to it.
const methods: Record<'initPromise' | 'resolve' | 'reject', (this: Inside, given: never) => unknown> = {
  initPromise() {
    if (!this.transformed) {
      this.transformed = true;
      this.stringifyArguments();
    }
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.isResolved = false;
    this.isSettled = false;
    this.promise = promise;
    this.fulfilPromise = resolve;
    this.rejectPromise = reject;
  },
  resolve(reply: unknown) {
    this._clearTimers();
    try {
      this.fulfilPromise(this.transformReply(reply));
      this.isResolved = true;
    } catch (error) {
      this.rejectPromise(error as Error);
    }
    this.isSettled = true;
    return this.promise;
  },
  reject(error: Error) {
    this._clearTimers();
    this.isSettled = true;
    this.rejectPromise(error);
  },
};
for (const [name, value] of Object.entries(methods))
  Object.defineProperty(MethodCommand.prototype, name, { value, writable: true });
