import { expect, test } from 'vitest';
import { findAdrProblems } from './find-adr-problems.ts';

const record = (number: string, changes: Readonly<Record<string, string>> = {}): string => {
  let text = [
    `# ${number}: A title`,
    '| | |\n| --- | --- |\n| Date | 2026-01-02 |\n| Status | Accepted |',
    ...['Context', 'Decision', 'Consequences', 'Evidence'].map((section) => `## ${section}\n\nText.`),
  ].join('\n\n');
  for (const [from, to] of Object.entries(changes)) {
    expect(text).toContain(from);
    text = text.replace(from, to);
  }
  return text;
};
const INDEX = '- [0001: A title](0001-first.md)\n- [0002: A title](0002-second.md)';

test('two records in order and an index that lists them', () => {
  const records = new Map([
    ['0002-second.md', record('0002', { Accepted: 'Superseded by [0001](0001-first.md)' })],
    ['0001-first.md', record('0001')],
  ]);
  expect(findAdrProblems(records, INDEX)).toEqual([]);
});

const oneRecord = '- [0001: A title](0001-first.md)';

test.for([
  ['a title of another number', { '# 0001': '# 0007' }, 'the first line must be "# 0001: Title"'],
  [
    'a date that is none',
    { '2026-01-02': 'yesterday' },
    'the table at its head needs "| Date | YYYY-MM-DD |"',
  ],
  ['no date', { '| Date | 2026-01-02 |\n': '' }, 'the table at its head needs "| Date | YYYY-MM-DD |"'],
  ['a status of its own', { Accepted: 'Fine' }, 'the status is Proposed, Accepted, or Superseded by a link'],
  ['a section that is missing', { '## Evidence': '## Proof' }, 'lacks the section "## Evidence"'],
] as const)('is found: %s', ([, changes, problem]) => {
  const records = new Map([['0001-first.md', record('0001', changes)]]);
  expect(findAdrProblems(records, oneRecord)).toContain(`0001-first.md: ${problem}`);
});

test('is found: a name without a number, a gap in the numbers', () => {
  expect(findAdrProblems(new Map([['first.md', record('0001')]]), '')).toEqual([
    'first.md: name it NNNN-title-in-kebab-case.md',
  ]);
  expect(
    findAdrProblems(new Map([['0002-second.md', record('0002')]]), '- [0002: A title](0002-second.md)'),
  ).toEqual(['0002-second.md: the next number is 0001']);
});

test('is found: a record that the index lacks, or has under another title, or that is gone', () => {
  const records = new Map([['0001-first.md', record('0001')]]);
  const missing = 'README.md: add the line "- [0001: A title](0001-first.md)"';
  expect(findAdrProblems(records, '')).toEqual([missing]);
  expect(findAdrProblems(records, '- [0001: Another](0001-first.md)')).toEqual([missing]);
  expect(findAdrProblems(records, INDEX)).toEqual(['README.md: lists 0002-second.md, which does not exist']);
});
