/**
 * Finds what a page of the documentation names and the repository does not have: files and headings behind relative
 * links, paths and `pnpm` scripts that it shows as code. Addresses on the web are left alone: a check must not fail
 * because somebody else's server is down.
 */
import { posix } from 'node:path';
import type { Located, MarkdownPage } from './read-markdown.ts';

/** What a page may refer to. Paths are relative to the root and written with slashes. */
export interface Repository {
  readonly exists: (path: string) => boolean;
  /** True when the pattern matches at least one file. */
  readonly matches: (pattern: string) => boolean;
  /** Anchors of a Markdown file, undefined for any other. */
  readonly anchorsOf: (path: string) => ReadonlySet<string> | undefined;
  readonly scripts: ReadonlySet<string>;
  readonly pnpmVersion: string;
}

/** What looks like a path of ours; a word with a slash in it, like `topic/partition`, does not. */
const OWN_PATH = /^(?:\.\/)?((?:\.ci|apps|docs|infra|packages|test|tools)\/[\w.*/-]*)$/;
const SHELL = new Set(['sh', 'bash', 'console']);
/** Commands of pnpm itself that our pages may show. */
const PNPM_COMMANDS = new Set(['add', 'exec', 'install', 'pack']);

/** `file` is the page's path. Each problem begins with `file:line`. */
export function findBrokenReferences(file: string, page: MarkdownPage, repository: Repository): string[] {
  const problems: string[] = [];
  const report = (line: number, problem: string): void => void problems.push(`${file}:${line} ${problem}`);

  for (const { text, line } of page.links) {
    const problem = problemOfLink(file, page, text, repository);
    if (problem !== null) report(line, problem);
  }
  for (const { text, line } of shownCommands(page)) {
    for (const word of text.split(/\s+/)) {
      const path = OWN_PATH.exec(word)?.[1];
      if (path !== undefined && !isThere(path, repository)) report(line, `\`${path}\` does not exist`);
    }
    for (const problem of problemsOfPnpm(text, repository)) report(line, problem);
  }
  return problems;
}

function problemOfLink(
  file: string,
  page: MarkdownPage,
  target: string,
  repository: Repository,
): string | null {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target) || target.startsWith('//')) return null;
  if (target.startsWith('/')) return `link to ${target}: use a path relative to the page`;
  const [path = '', fragment] = target.split('#', 2);
  const resolved = path === '' ? file : posix.join(posix.dirname(file), decodeURI(path));
  if (resolved.startsWith('..')) return `link to ${target} leaves the repository`;
  if (!repository.exists(resolved)) return `link to ${target}: ${resolved} does not exist`;
  if (fragment === undefined) return null;
  const anchors = path === '' ? page.anchors : repository.anchorsOf(resolved);
  return anchors?.has(fragment) === true
    ? null
    : `link to ${target}: no heading makes the anchor #${fragment}`;
}

/** Code spans, and the lines of blocks that are meant to be typed. */
function* shownCommands({ codeSpans, codeBlocks }: MarkdownPage): Generator<Located> {
  yield* codeSpans;
  for (const block of codeBlocks) {
    if (!SHELL.has(block.language)) continue;
    for (const [index, text] of block.text.split('\n').entries())
      yield { text, line: block.line + 1 + index };
  }
}

function isThere(path: string, repository: Repository): boolean {
  return path.includes('*') ? repository.matches(path) : repository.exists(path);
}

function problemsOfPnpm(text: string, { scripts, pnpmVersion }: Repository): string[] {
  const problems: string[] = [];
  for (const [, version, script = ''] of text.matchAll(
    /\bpnpm(?:@([\d.]+))?(?: +(?:run +)?([a-z][\w:-]*))?/g,
  )) {
    if (version !== undefined && version !== pnpmVersion) {
      problems.push(`pnpm@${version} is not the version of package.json, ${pnpmVersion}`);
    }
    if (script !== '' && !scripts.has(script) && !PNPM_COMMANDS.has(script)) {
      problems.push(`\`pnpm ${script}\`: package.json has no such script`);
    }
  }
  return problems;
}
