/**
 * What the checks of the documentation need of a Markdown file: where it links to, what can be linked to in it, and
 * what it shows as code. Not a parser: it knows fences, headings, links and code spans, which is what our pages use.
 */

export interface Located {
  readonly text: string;
  /** From 1. */
  readonly line: number;
}

export interface CodeBlock extends Located {
  /** The word behind the fence; empty where there is none. */
  readonly language: string;
}

export interface MarkdownPage {
  /** Targets of links and images as they are written. */
  readonly links: readonly Located[];
  /** Fragments that a link may point to, as GitHub makes them from headings. */
  readonly anchors: ReadonlySet<string>;
  readonly codeSpans: readonly Located[];
  readonly codeBlocks: readonly CodeBlock[];
}

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w-]*)/;
const CODE_SPAN = /(`+)(.+?)\1(?!`)/g;
const INLINE_LINK = /\]\(\s*<?([^)>\s]+)>?(?:\s+"[^"]*")?\s*\)/g;
const REFERENCE = /^ {0,3}\[[^\]]+\]:\s*<?(\S+?)>?(?:\s|$)/;

export function readMarkdown(source: string): MarkdownPage {
  const links: Located[] = [];
  const anchors = new Set<string>();
  const codeSpans: Located[] = [];
  const codeBlocks: CodeBlock[] = [];
  let open: { readonly fence: string; readonly language: string; readonly line: number } | null = null;
  let block: string[] = [];

  for (const [index, text] of source.split(/\r?\n/).entries()) {
    const line = index + 1;
    const fence = FENCE.exec(text);
    if (open !== null) {
      // A fence is closed by one of its own kind that is at least as long.
      if (fence?.[1]?.startsWith(open.fence) === true && fence[2] === '') {
        codeBlocks.push({ text: block.join('\n'), line: open.line, language: open.language });
        open = null;
      } else block.push(text);
      continue;
    }
    if (fence !== null) {
      open = { fence: fence[1] ?? '', language: fence[2] ?? '', line };
      block = [];
      continue;
    }
    for (const [, , code = ''] of text.matchAll(CODE_SPAN)) codeSpans.push({ text: code.trim(), line });
    // What stands in code is shown, not meant.
    const prose = text.replaceAll(CODE_SPAN, (span) => ' '.repeat(span.length));
    for (const [, target = ''] of prose.matchAll(INLINE_LINK)) links.push({ text: target, line });
    const reference = REFERENCE.exec(prose);
    if (reference !== null) links.push({ text: reference[1] ?? '', line });
    const heading = /^#{1,6}\s+(.+?)\s*#*$/.exec(text);
    if (heading !== null) addAnchor(anchors, heading[1] ?? '');
  }
  if (open !== null) codeBlocks.push({ text: block.join('\n'), line: open.line, language: open.language });
  return { links, anchors, codeSpans, codeBlocks };
}

/** The second heading of one name gets `-1`, and so on. */
function addAnchor(anchors: Set<string>, heading: string): void {
  const anchor = heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
    .replaceAll(' ', '-');
  let unique = anchor;
  for (let copy = 1; anchors.has(unique); copy++) unique = `${anchor}-${copy}`;
  anchors.add(unique);
}
