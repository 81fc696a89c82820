/** A connection that runs something else than what was written: the check has to notice, or it would be worth nothing. */
import type { RedisConnection } from '@millrace/redis';
import type { Command } from 'ioredis';
import { APPEND } from '../src/generated/lua.ts';
import { AppendCommand } from '../src/log/append-command.ts';
import type { LuaScript } from '../src/run-script.ts';
import { MethodCommand } from '../src/wire/method-command.ts';

const UTF8 = { replyEncoding: 'utf8' } as const;

/** The connection, on which one script has another text. */
export function withFault(redis: RedisConnection, script: LuaScript, text: string): RedisConnection {
  return new Proxy(redis, {
    get(target, name) {
      if (name !== 'sendCommand') {
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      }
      return (command: Command) => {
        // An append goes out by itself, and where its script is unknown, by its text.
        if (script === APPEND && command instanceof AppendCommand) {
          command.reject(new Error('NOSCRIPT, so that another one is sent'));
          return command.promise as Promise<unknown>;
        }
        const [body, ...rest] = command.args as [string, ...string[]];
        const isFaulty = body === script.sha1 || body === script.text;
        return target.sendCommand(isFaulty ? new MethodCommand('eval', [text, ...rest], UTF8) : command);
      };
    },
  });
}
