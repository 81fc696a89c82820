/** A search that was cut off, or that broke for another reason than the one named, must not pass for a verdict. */
import { expect, test } from 'vitest';
import { instances } from './model-instances.ts';
import { nameOf, parseVerdict } from './model-verdict.ts';

const report = (errors: number, more = ''): string =>
  `${more}\nFull statespace search for:\nState-vector 124 byte, depth reached 45, errors: ${errors}\n   337758 states, stored\n`;

test('a complete search without an error holds', () => {
  expect(parseVerdict(report(0), 0)).toEqual({ status: 'holds', states: 337_758 });
});

test('a violated assertion is reported by its name', () => {
  const output = report(
    1,
    'pan:1: assertion violated  !(stale_commit) (at depth 10)\nWarning: Search not completed',
  );
  expect(parseVerdict(output, 0)).toEqual({ status: 'violated', assertion: 'stale_commit', states: 337_758 });
});

test.for([
  ['depth', report(0, 'error: max search depth too small'), 0],
  ['memory', report(0, 'pan: out of memory'), 0],
  ['an unfinished search', report(0, 'Warning: Search not completed'), 0],
  ['a killed verifier', report(0), null],
  ['another error', report(1, 'pan:1: invalid end state (at depth 3)'), 0],
  ['an assertion without a name', report(1, 'pan:1: assertion violated (x==1) (at depth 3)'), 0],
  ['nothing', '', 0],
] as const)('%s proves nothing', ([, output, code]) => {
  const verdict = parseVerdict(output, code);
  expect(verdict.status).toBe('inconclusive');
  expect(nameOf(verdict)).toMatch(/^inconclusive/);
});

test('every mutant must be refuted, and the protocol must hold', () => {
  for (const { name, kind, expected } of instances)
    expect([name, expected === 'holds']).toEqual([name, kind === 'protocol']);
  expect(new Set(instances.map(({ name }) => name)).size).toBe(instances.length);
});
