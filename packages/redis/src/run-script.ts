/**
 * Sends a script by its digest and falls back to its text when the server does not know it (restart, failover,
 * SCRIPT FLUSH). ioredis' `defineCommand` was not used: it patches methods onto a connection that is shared with
 * others, and its types say nothing about what the script takes.
 *
 * Every script is idempotent or fenced, so a caller that lost the reply may call again.
 */
import type { Redis } from 'ioredis';
import { MethodCommand } from './wire/method-command.ts';

export interface LuaScript {
  readonly name: string;
  readonly sha1: string;
  readonly text: string;
  /** Number of KEYS, or -1 where the header declares a list. */
  readonly keyCount: number;
  /** The script says `no-writes`: it runs for users who may only read, and on replicas. */
  readonly isReadOnly: boolean;
}

export type ScriptArgument = string | number | Buffer;

/** A reply as the scripts give it: strings, integers, nil, nested lists. */
export type ScriptReply = string | number | null | readonly ScriptReply[];

/** The part of ioredis that scripts need; `Redis` and `Cluster` both have it. */
export type ScriptConnection = Pick<Redis, 'sendCommand'>;

/** `onSend` is called right before each time that the script goes out: twice where its text has to follow. */
export async function runScript(
  connection: ScriptConnection,
  script: LuaScript,
  keys: readonly string[],
  args: readonly ScriptArgument[],
  onSend?: () => void,
): Promise<readonly ScriptReply[]> {
  onSend?.();
  try {
    return await call(connection, script, script.sha1, keys, args);
  } catch (error) {
    if (!isUnknownScript(error)) throw error;
    onSend?.();
    return runScriptText(connection, script, keys, args);
  }
}

export function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}

/** For a server that has said that it does not know the script. */
export function runScriptText(
  connection: ScriptConnection,
  script: LuaScript,
  keys: readonly string[],
  args: readonly ScriptArgument[],
): Promise<readonly ScriptReply[]> {
  return call(connection, script, script.text, keys, args);
}

/** `body`: the digest or the text. */
function call(
  connection: ScriptConnection,
  { sha1, isReadOnly }: LuaScript,
  body: string,
  keys: readonly string[],
  args: readonly ScriptArgument[],
): Promise<ScriptReply[]> {
  const command = `${body === sha1 ? 'evalsha' : 'eval'}${isReadOnly ? '_ro' : ''}`;
  const sent = connection.sendCommand(
    new MethodCommand(command, [body, keys.length, ...keys, ...args], { replyEncoding: 'utf8' }),
  );
  return sent as Promise<ScriptReply[]>;
}
