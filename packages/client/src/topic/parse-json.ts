/**
 * JSON from strangers. `JSON.parse` makes an own property of a key `__proto__`; code that later copies the object with
 * `Object.assign` would set a prototype with it. Such keys are dropped. The text is searched first, because a reviver
 * makes parsing several times slower; `\u` is searched for too, as a key can be spelled with escapes.
 */
import { CodecError } from './codec-error.ts';

const SUSPICIOUS = /__proto__|\\u/;

/** Throws CodecError for text that is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return SUSPICIOUS.test(text)
      ? (JSON.parse(text, dropPrototypeKey) as unknown)
      : (JSON.parse(text) as unknown);
  } catch {
    // The original message quotes the text.
    throw new CodecError('not valid JSON');
  }
}

function dropPrototypeKey(key: string, value: unknown): unknown {
  return key === '__proto__' ? undefined : value;
}
