/**
 * Runs several actors on one connection, one command at a time, in turns of many commands or few. Long turns are the
 * point: an actor sleeps through everything that another one does, and then goes on as if nothing had happened. An
 * even choice for each command, as fast-check's scheduler makes it, hardly ever lets anybody sleep that long.
 */
import type { Redis } from 'ioredis';

export interface Turn {
  readonly actor: number;
  readonly commands: number;
}

export type Actor = (connection: Redis) => Promise<void>;

/** More than any plan of a test needs: beyond it somebody runs in circles. */
const MAX_TURNS = 10_000;

/** Resolves when all actors are done. When the turns are used up they begin again, so each actor must have one. */
export async function interleave(
  connection: Redis,
  actors: readonly Actor[],
  turns: readonly Turn[],
): Promise<void> {
  const gates = actors.map(() => new CommandGate(connection));
  const working = new Set<Promise<void>>();
  const work = actors.map((actor, index) => {
    const done = actor(gates[index]?.connection ?? connection).finally(() => working.delete(done));
    working.add(done);
    return done;
  });
  const schedule = async (): Promise<void> => {
    for (let index = 0; working.size > 0; index++) {
      if (index === MAX_TURNS) throw new Error('the actors never end');
      const turn = turns[index % turns.length];
      await gates[turn?.actor ?? 0]?.letThrough(turn?.commands ?? 1);
    }
  };
  await Promise.all([schedule(), ...work]);
}

/** Holds each command of one actor back until it is let through. */
class CommandGate {
  readonly connection: Redis;
  readonly #waiting: (() => Promise<unknown>)[] = [];

  constructor(connection: Redis) {
    this.connection = new Proxy(connection, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]): Promise<unknown> =>
          new Promise((resolve, reject) => {
            this.#waiting.push(async () => {
              await (Reflect.apply(member, target, args) as Promise<unknown>).then(resolve, reject);
            });
          });
      },
    });
  }

  async letThrough(commands: number): Promise<void> {
    await nextTurnOfTheLoop();
    for (let sent = 0; sent < commands; sent++) {
      const send = this.#waiting.shift();
      if (send === undefined) return;
      await send();
      // The actor has its answer; it gets the time to think of what it asks next.
      await nextTurnOfTheLoop();
    }
  }
}

function nextTurnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
