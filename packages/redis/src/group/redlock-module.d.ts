/**
 * The part of redlock 5.0.0-beta.2 that the leader lock uses. The package's own types cannot be found under
 * `moduleResolution: nodenext` (its `exports` names none, TS7016), and they must not reach our published types.
 */
declare module 'redlock' {
  export interface Lock {
    readonly value: string;
    readonly expiration: number;
    extend(durationMs: number): Promise<Lock>;
    release(): Promise<unknown>;
  }

  export interface RedlockSettings {
    readonly retryCount: number;
    readonly driftFactor?: number;
  }

  export interface RedlockScripts {
    readonly acquireScript: (script: string) => string;
    readonly extendScript: (script: string) => string;
    readonly releaseScript: (script: string) => string;
  }

  export default class Redlock {
    constructor(clients: Iterable<unknown>, settings: RedlockSettings, scripts: RedlockScripts);
    acquire(resources: string[], durationMs: number): Promise<Lock>;
    on(event: 'error', listener: (error: unknown) => void): this;
  }

  export class ResourceLockedError extends Error {}

  export class ExecutionError extends Error {
    /** One for each attempt, settled when all clients have voted. */
    readonly attempts: readonly Promise<{ readonly votesAgainst: ReadonlyMap<unknown, Error> }>[];
  }
}
