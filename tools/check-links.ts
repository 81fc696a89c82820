/**
 * `node tools/check-links.ts`: every relative link, path and `pnpm` script in every Markdown file of the repository
 * leads somewhere. Part of `pnpm check`.
 */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { findBrokenReferences, type Repository } from './find-broken-references.ts';
import { readMarkdown, type MarkdownPage } from './read-markdown.ts';

const root = join(import.meta.dirname, '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly packageManager: string;
  readonly scripts: Readonly<Record<string, string>>;
};
const pages = new Map<string, MarkdownPage>(
  globSync('**/*.md', { cwd: root, exclude: ['**/node_modules/**', '**/dist/**'] })
    .map((path) => path.replaceAll(sep, '/'))
    .sort()
    .map((path) => [path, readMarkdown(readFileSync(join(root, path), 'utf8'))]),
);
const repository: Repository = {
  exists: (path) => existsSync(join(root, path)),
  matches: (pattern) => globSync(pattern, { cwd: root }).length > 0,
  anchorsOf: (path) => pages.get(path)?.anchors,
  scripts: new Set(Object.keys(manifest.scripts)),
  pnpmVersion: manifest.packageManager.replace('pnpm@', ''),
};

const problems = [...pages].flatMap(([path, page]) => findBrokenReferences(path, page, repository));
for (const problem of problems) console.error(problem);
if (pages.size === 0) console.error('no Markdown file was found: the check looks in the wrong place');
process.exitCode = problems.length > 0 || pages.size === 0 ? 1 : 0;
