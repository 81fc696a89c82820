/** A connection that runs something else than what was written: the check has to notice, or it would be worth nothing. */
import type { RedisConnection } from '@millrace/redis';
import type { Command } from 'ioredis';
import { APPEND } from '../src/generated/lua.ts';
import { AppendCommand } from '../src/log/append-command.ts';
import type { LuaScript } from '../src/run-script.ts';

/** The connection, on which one script has another text. */
export function withFault(redis: RedisConnection, script: LuaScript, text: string): RedisConnection {
  return new Proxy(redis, {
    get(target, name) {
      if (name === 'evalsha') {
        return (sha1: string, ...rest: [number, ...string[]]) =>
          sha1 === script.sha1 ? target.eval(text, ...rest) : target.evalsha(sha1, ...rest);
      }
      if (name === 'eval') {
        return (sent: string, ...rest: [number, ...string[]]) =>
          target.eval(sent === script.text ? text : sent, ...rest);
      }
      // An append goes out by itself, and where its script is unknown, by its text.
      if (name === 'sendCommand') {
        return (command: Command) => {
          if (script !== APPEND || !(command instanceof AppendCommand)) return target.sendCommand(command);
          command.reject(new Error('NOSCRIPT, so that another one is sent'));
          return command.promise as Promise<unknown>;
        };
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
