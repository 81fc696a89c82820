/**
 * Makes the reference part of docs/protocol.md from what the code says of itself: the doc comments of the key layout
 * and of the protocol's times, and the headers of the Lua scripts. Pure: texts in, Markdown out.
 */

export interface DescribedKey {
  /** As Redis sees it, of the example names. */
  readonly key: string;
  readonly description: string;
}

export interface DescribedScript {
  readonly name: string;
  readonly flags: string;
  readonly purpose: string;
  readonly keys: readonly string[];
  readonly args: readonly string[];
  /** Lines as they stand in the header. */
  readonly returns: readonly string[];
  readonly keeps: string;
}

export interface DescribedTime {
  readonly name: string;
  readonly milliseconds: number;
  readonly description: string;
}

/** Doc comments of an interface's text members, by member. Throws for one without: the reference would have a hole. */
export function memberComments(source: string, interfaceName: string): ReadonlyMap<string, string> {
  const body = new RegExp(`export interface ${interfaceName} \\{\\n([\\s\\S]*?)\\n\\}`).exec(source)?.[1];
  if (body === undefined) throw new Error(`there is no exported interface ${interfaceName}`);
  const comments = new Map<string, string>();
  const member = /(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*)?(?:readonly )?(\w+)(?:\([^)]*\))?: string;/g;
  for (const [, comment, name = ''] of body.matchAll(member)) {
    if (comment === undefined) throw new Error(`${interfaceName}.${name} has no doc comment`);
    comments.set(name, comment.replaceAll(/\s*\n\s*\*?\s*/g, ' ').trim());
  }
  return comments;
}

/** Exported constants in milliseconds, in the order of the source. Throws for one without a doc comment. */
export function readTimes(source: string): DescribedTime[] {
  const times: DescribedTime[] = [];
  for (const [, comment, name = '', value = ''] of source.matchAll(
    /(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n)?export const (\w+_MS) = ([\d_]+);/g,
  )) {
    if (comment === undefined) throw new Error(`${name} has no doc comment`);
    const description = comment.replaceAll(/\s*\n\s*\*?\s*/g, ' ').trim();
    times.push({ name, milliseconds: Number(value.replaceAll('_', '')), description });
  }
  return times;
}

/** Reads the header of a script; its form is held to by embed-lua.ts. */
export function readLuaHeader(name: string, source: string): DescribedScript {
  const [shebang = '', ...lines] = source.split('\n');
  const sections = new Map<string, string[]>();
  let current: string[] | undefined;
  for (const line of lines) {
    if (!line.startsWith('--')) break;
    const start = /^-- (?:(Purpose|Returns|Keeps):|((?:KEYS|ARGV)\[\d+(?:\.\.\.)?\])) *(.*)$/.exec(line);
    if (start === null) {
      current?.push(line.replace(/^--\s*/, ''));
      continue;
    }
    current = [start[3] ?? ''];
    sections.set(start[1] ?? start[2] ?? '', current);
  }
  const flow = (section: string): string => {
    const text = sections.get(section);
    if (text === undefined) throw new Error(`${name}: the header has no "${section}"`);
    return text.join(' ').trim();
  };
  const listed = (kind: string): string[] =>
    [...sections.keys()]
      .filter((section) => section.startsWith(kind))
      .map((section) => `\`${section}\` ${flow(section)}`);
  return {
    name,
    flags: shebang.replace('#!lua', '').replace('flags=', '').trim(),
    purpose: flow('Purpose'),
    keys: listed('KEYS'),
    args: listed('ARGV'),
    returns: sections.get('Returns') ?? [flow('Returns')],
    keeps: flow('Keeps'),
  };
}

export function renderKeys(keys: readonly DescribedKey[]): string {
  return table(
    ['key', 'holds'],
    keys.map(({ key, description }) => [`\`${key}\``, description]),
  );
}

export function renderTimes(times: readonly DescribedTime[]): string {
  const rows = times.map(({ name, milliseconds, description }) => [
    `\`${name}\``,
    milliseconds.toLocaleString('en'),
    description,
  ]);
  return table(['constant', 'ms', 'meaning'], rows);
}

export function renderScripts(scripts: readonly DescribedScript[]): string {
  return scripts.map(renderScript).join('\n\n');
}

function renderScript({ name, flags, purpose, keys, args, returns, keeps }: DescribedScript): string {
  return [
    `### ${name}`,
    '',
    `${escapeTags(capitalize(purpose))}${flags === '' ? '' : ` (\`${flags}\`)`}`,
    '',
    ...[...keys, ...args].map((item) => `- ${escapeTags(item)}`),
    '',
    '```text',
    ...returns,
    '```',
    '',
    `Keeps: ${escapeTags(keeps)}`,
  ].join('\n');
}

/** A tag in prose would vanish from the page. What stands in a code span is safe. */
function escapeTags(text: string): string {
  return text
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith('`') ? part : part.replaceAll('<', '\\<')))
    .join('');
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => escapeTags(cell).replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Puts `content` between the two marks called `name`; throws where they are missing. */
export function replaceSection(page: string, name: string, content: string): string {
  const begin = `<!-- generated: ${name} -->`;
  const end = `<!-- end: ${name} -->`;
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from === -1 || to < from) throw new Error(`the page has no marks "${begin}" and "${end}"`);
  return `${page.slice(0, from + begin.length)}\n\n${content}\n\n${page.slice(to)}`;
}
