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

/** Resolves when all actors are done; when the turns are used up they begin again. */
export async function interleave(connection: Redis, actors: readonly Actor[], turns: readonly Turn[]): Promise<void> {
  const waiting = actors.map((): (() => void)[] => []);
  let running = 0;
  const gated = (actor: number): Redis =>
    new Proxy(connection, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        return async (...args: unknown[]): Promise<unknown> => {
          await new Promise<void>((resolve) => waiting[actor]?.push(resolve));
          try {
            return (await Reflect.apply(member, target, args)) as unknown;
          } finally {
            running--;
          }
        };
      },
    });

  let unfinished = actors.length;
  const work = actors.map((actor, index) =>
    actor(gated(index)).finally(() => {
      unfinished--;
    }),
  );
  const failure = Promise.race(work.map((done) => done.then(() => new Promise<never>(() => {}))));
  const schedule = async (): Promise<void> => {
    for (let index = 0; unfinished > 0; index++) {
      const turn = turns[index % turns.length];
      for (let command = 0; command < (turn?.commands ?? 1); command++) {
        const go = waiting[turn?.actor ?? 0]?.shift();
        if (go === undefined) break;
        running++;
        go();
        // Until the command was answered, and its actor has thought of the next one or is done.
        do await nextTurnOfTheLoop();
        while (running > 0);
      }
      await nextTurnOfTheLoop();
    }
  };
  await Promise.race([schedule(), failure]);
  await Promise.all(work);
}

function nextTurnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
