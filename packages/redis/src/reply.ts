/**
 * Reads the fields of a script's reply. The scripts answer text for every number that may be large, so that no
 * reply depends on how Lua converts a double.
 */
import type { LuaScript, ScriptReply } from './run-script.ts';

export function textAt(reply: readonly ScriptReply[], index: number): string {
  const value = reply[index];
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  return '';
}

export function integerAt(reply: readonly ScriptReply[], index: number): number {
  const value = reply[index];
  // `Number` would make 0 of nothing: an epoch that is missing must not become one.
  const integer = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value;
  if (!Number.isSafeInteger(integer)) {
    throw new TypeError(`not an integer in a script's reply: ${String(value)}`);
  }
  return integer as number;
}

export function listAt(reply: readonly ScriptReply[], index: number): readonly ScriptReply[] {
  const value = reply[index];
  return Array.isArray(value) ? (value as readonly ScriptReply[]) : [];
}

/** Pairs of a flat `[field, value, …]` list, as HGETALL gives it inside a script. */
export function* pairsAt(reply: readonly ScriptReply[], index: number): Generator<[string, string]> {
  const list = listAt(reply, index);
  for (let field = 0; field + 1 < list.length; field += 2)
    yield [textAt(list, field), textAt(list, field + 1)];
}

/** A status that this version does not know: script and wrapper come from different builds. */
export function unexpectedStatus(script: LuaScript, reply: readonly ScriptReply[]): never {
  throw new TypeError(`script ${script.name} answered an unknown status ${JSON.stringify(reply[0])}`);
}
