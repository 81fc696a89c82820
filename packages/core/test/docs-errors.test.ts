/** docs/errors.md and the table of errors say the same: every code, its class, and whether a retry can help. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { errorFromCode, type ErrorCode } from '../src/errors.ts';

const page = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
const source = readFileSync(new URL('../src/errors.ts', import.meta.url), 'utf8');

interface Described {
  readonly code: string;
  readonly className: string;
  readonly retryable: string | undefined;
}

const documented: Described[] = page.split(/^## /m).flatMap((section) => {
  const className = /^(\w+)/.exec(section)?.[1] ?? '';
  const retryable = /Retryable: (yes|no)\b/.exec(section)?.[1];
  return [...section.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code = '']) => ({
    code,
    className,
    retryable,
  }));
});

const codes = [
  ...(/^const ERRORS = \{$([\s\S]*?)^\}/m.exec(source)?.[1] ?? '').matchAll(/^ {2}([A-Z_]+): '/gm),
].map(([, code]) => code as ErrorCode);

test('every code is documented once, and every documented code exists', () => {
  expect(codes.length).toBeGreaterThan(0);
  expect(documented.map(({ code }) => code).sort()).toEqual([...codes].sort());
});

test.for(documented)('$code is documented under its class, with the right answer to a retry', (described) => {
  const error = errorFromCode(described.code as ErrorCode, 'what happened');
  expect(described).toEqual({
    code: described.code,
    className: error.name,
    retryable: error.retryable ? 'yes' : 'no',
  });
});
