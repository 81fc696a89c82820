import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { parseJson } from './parse-json.ts';

describe('parseJson', () => {
  test.each([
    '{"__proto__":{"x":1},"a":2}',
    String.raw`{"\u005f_proto__":{"x":1},"a":2}`,
    String.raw`{"_\u005Fproto\u005f_":{"x":1},"a":2}`,
    '{"a":2,"__proto__":null}',
  ])('drops the prototype key of %s, however it is spelled', (text) => {
    const value = parseJson(text) as object;
    expect(Object.getOwnPropertyNames(value)).toEqual(['a']);
    expect(Object.assign({}, value)).not.toHaveProperty('x');
  });

  test('drops it at any depth', () => {
    expect(parseJson('{"a":[{"__proto__":{"x":1}}]}')).toEqual({ a: [{}] });
  });

  test('keeps everything else, also what looks like it', () => {
    const value = {
      constructor: 'Ferrari',
      prototype: 1,
      text: '__proto__ and \u0001',
      ['proto__']: [null, true],
    };
    expect(parseJson(JSON.stringify(value))).toEqual(value);
  });

  test('the error shows nothing of the text', () => {
    let thrown: unknown;
    try {
      parseJson('hunter2');
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ name: 'CodecError', message: 'not valid JSON' });
    expect(inspect(thrown)).not.toContain('hunter2');
  });
});
