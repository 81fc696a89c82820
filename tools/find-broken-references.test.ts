/** Made-up pages and repositories: each kind of broken reference is found, and what is in order is left alone. */
import { expect, test } from 'vitest';
import { findBrokenReferences, type Repository } from './find-broken-references.ts';
import { readMarkdown } from './read-markdown.ts';

const files = new Set([
  'README.md',
  'docs/page.md',
  'docs/guide.md',
  'docs/adr',
  'packages/core/src/index.ts',
  'tools/check.ts',
]);
const repository: Repository = {
  exists: (path) => files.has(path.replace(/\/$/, '')),
  matches: (pattern) => pattern === 'packages/*/src/index.ts',
  anchorsOf: (path) =>
    path === 'docs/guide.md' ? readMarkdown('# The `guide`, at last\n## Twice\n## Twice').anchors : undefined,
  scripts: new Set(['check', 'demo']),
  pnpmVersion: '12.21.0',
};
const problemsOf = (text: string, file = 'docs/page.md'): string[] =>
  findBrokenReferences(file, readMarkdown(text), repository);

test.for([
  '[a](guide.md) and [b](../README.md "with a title") and ![c](./guide.md)',
  '[a](guide.md#the-guide-at-last), [b](guide.md#twice), [c](guide.md#twice-1)',
  '# Here it is\n[a](#here-it-is)',
  '[a][r]\n\n[r]: guide.md',
  '[a](https://example.com/x) and [b](mailto:a@example.com)',
  '`packages/core/src/index.ts`, `packages/*/src/index.ts`, `docs/adr/`',
  'a `topic/partition`, a `[link](nowhere.md)` that is shown, `pnpm install`, `pnpm run check`',
  '```sh\nnpx -y pnpm@12.21.0 demo --json\nnode tools/check.ts --all\n```',
  '```ts\n[a](nowhere.md); // packages/nowhere.ts\n```',
  '````md\n```sh\npnpm nonsense\n```\n````',
])('nothing is wrong with: %s', (text) => {
  expect(problemsOf(text)).toEqual([]);
});

test.for([
  ['[a](nowhere.md)', 'docs/page.md:1 link to nowhere.md: docs/nowhere.md does not exist'],
  ['\n\n![a](nowhere.png)', 'docs/page.md:3 link to nowhere.png: docs/nowhere.png does not exist'],
  ['[r]: nowhere.md', 'docs/page.md:1 link to nowhere.md: docs/nowhere.md does not exist'],
  ['[a](guide.md#gone)', 'docs/page.md:1 link to guide.md#gone: no heading makes the anchor #gone'],
  ['[a](#gone)', 'docs/page.md:1 link to #gone: no heading makes the anchor #gone'],
  [
    '[a](../tools/check.ts#L3)',
    'docs/page.md:1 link to ../tools/check.ts#L3: no heading makes the anchor #L3',
  ],
  ['[a](/README.md)', 'docs/page.md:1 link to /README.md: use a path relative to the page'],
  ['[a](../../x.md)', 'docs/page.md:1 link to ../../x.md leaves the repository'],
  ['`packages/gone.ts`', 'docs/page.md:1 `packages/gone.ts` does not exist'],
  ['`packages/*/gone.ts`', 'docs/page.md:1 `packages/*/gone.ts` does not exist'],
  ['`pnpm nonsense`', 'docs/page.md:1 `pnpm nonsense`: package.json has no such script'],
  [
    '```sh\ntrue\nnpx -y pnpm@9.0.0 demo\n```',
    'docs/page.md:3 pnpm@9.0.0 is not the version of package.json, 12.21.0',
  ],
  ['```sh\nnode tools/gone.ts\n```', 'docs/page.md:2 `tools/gone.ts` does not exist'],
  // A fence that is never closed runs to the end of the page.
  ['```sh\npnpm nonsense', 'docs/page.md:2 `pnpm nonsense`: package.json has no such script'],
] as const)('is found: %s', ([text, problem]) => {
  expect(problemsOf(text)).toEqual([problem]);
});

test('a link is relative to its page', () => {
  expect(problemsOf('[a](docs/guide.md)', 'README.md')).toEqual([]);
  expect(problemsOf('[a](guide.md)', 'README.md')).toEqual([
    'README.md:1 link to guide.md: guide.md does not exist',
  ]);
});

test('anchors are made as GitHub makes them', () => {
  const { anchors } = readMarkdown('# `a`: B [c](d.md) e_f, g-h\n## Ünïcode & more #\n### Twice\n### Twice');
  expect([...anchors]).toEqual(['a-b-c-e_f-g-h', 'ünïcode--more', 'twice', 'twice-1']);
});
