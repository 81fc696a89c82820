/** Puts a result into docs/performance.md and its chart beside it. What people wrote around it stays as it is. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderChart } from './chart.ts';
import { renderMarkdown, replaceSection } from './markdown.ts';
import type { BenchResult } from './result.ts';

const DOCS = join(import.meta.dirname, '../../../docs');

/** Of several runs the first is shown, and how many of them have reached each target. Returns what was written. */
export async function writeDocumentation(results: readonly BenchResult[]): Promise<readonly string[]> {
  const [shown] = results;
  if (shown === undefined) return [];
  if (results.some(({ scale }) => scale !== 1))
    throw new Error('a result with --scale was for trying the bench out: its figures are not for a page');
  const page = join(DOCS, 'performance.md');
  const text = replaceSection(await readFile(page, 'utf8'), renderMarkdown(results));
  await writeFile(join(DOCS, 'performance.svg'), renderChart(shown));
  await writeFile(page, text);
  return ['docs/performance.md', 'docs/performance.svg'];
}
