/**
 * What every architecture decision record must have, so that a reader finds the same things in the same places, and
 * that the index lists each of them.
 */

const FILE = /^(\d{4})-[a-z0-9]+(?:-[a-z0-9]+)*\.md$/;
const SECTIONS = ['Context', 'Decision', 'Consequences', 'Evidence'];
const STATUS = /^(?:Proposed|Accepted|Superseded by \[\d{4}\]\(\d{4}-[a-z0-9-]+\.md\))$/;

/** `records`: file name → text, without the index. Numbers count from 0001 without a gap. */
export function findAdrProblems(records: ReadonlyMap<string, string>, index: string): string[] {
  const problems: string[] = [];
  let expected = 1;
  for (const [file, text] of [...records].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const number = FILE.exec(file)?.[1];
    if (number === undefined) {
      problems.push(`${file}: name it NNNN-title-in-kebab-case.md`);
      continue;
    }
    if (Number(number) !== expected)
      problems.push(`${file}: the next number is ${String(expected).padStart(4, '0')}`);
    expected = Number(number) + 1;
    problems.push(...problemsOfRecord(file, number, text));
    const title = titleOf(text, number);
    if (title !== undefined && !index.includes(`- [${number}: ${title}](${file})`)) {
      problems.push(`README.md: add the line "- [${number}: ${title}](${file})"`);
    }
  }
  for (const [, file = ''] of index.matchAll(/\]\((\d{4}[^)]*)\)/g)) {
    if (!records.has(file)) problems.push(`README.md: lists ${file}, which does not exist`);
  }
  return problems;
}

function problemsOfRecord(file: string, number: string, text: string): string[] {
  const problems: string[] = [];
  if (titleOf(text, number) === undefined)
    problems.push(`${file}: the first line must be "# ${number}: Title"`);
  const date = /^\| Date \| (.+?) \|$/m.exec(text)?.[1];
  if (date === undefined || !/^\d{4}-\d{2}-\d{2}$/.test(date)) {
    problems.push(`${file}: the table at its head needs "| Date | YYYY-MM-DD |"`);
  }
  const status = /^\| Status \| (.+?) \|$/m.exec(text)?.[1];
  if (status === undefined || !STATUS.test(status)) {
    problems.push(`${file}: the status is Proposed, Accepted, or Superseded by a link`);
  }
  const sections = new Set(Array.from(text.matchAll(/^## (.+)$/gm), ([, title]) => title));
  for (const section of SECTIONS) {
    if (!sections.has(section)) problems.push(`${file}: lacks the section "## ${section}"`);
  }
  return problems;
}

function titleOf(text: string, number: string): string | undefined {
  return new RegExp(`^# ${number}: (.+)`).exec(text)?.[1];
}
