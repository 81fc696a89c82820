/** A connection that runs something else than what was written: the check has to notice, or it would be worth nothing. */
import type { RedisConnection } from '@millrace/redis';
import type { Command } from 'ioredis';
import type { LuaScript } from '../src/run-script.ts';

/** The connection, on which one script has another text. */
export function withFault(redis: RedisConnection, script: LuaScript, text: string): RedisConnection {
  return new Proxy(redis, {
    get(target, name) {
      if (name === 'evalsha') {
        return (sha1: string, ...rest: [number, ...string[]]) =>
          sha1 === script.sha1 ? target.eval(text, ...rest) : target.evalsha(sha1, ...rest);
      }
      // How scripts with bytes among their arguments go out.
      if (name === 'sendCommand') {
        return (command: Command) => {
          const [sha1, ...rest] = command.args as [string, number, ...string[]];
          if (sha1 !== script.sha1) return target.sendCommand(command);
          return target.eval(text, ...rest).then(command.resolve, command.reject);
        };
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
