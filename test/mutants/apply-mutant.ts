/** Puts a mutant into source text as it is loaded. Nothing is written anywhere: the files stay what they are. */
import { createHash } from 'node:crypto';
import type { Edit, Mutant } from './mutant.ts';

/** Where the scripts are embedded. */
export const EMBEDDED = 'packages/redis/src/generated/lua.ts';

/** `file` from the root of the repository. Answers null where the mutant leaves it alone. Throws where an edit does not fit. */
export function applyMutant({ name, edits }: Mutant, file: string, source: string): string | null {
  let text = source;
  for (const edit of edits) {
    if (edit.file === file) text = replaceOnce(name, edit, text);
    else if (file === EMBEDDED && edit.file.endsWith('.lua')) text = editScript(name, edit, text);
  }
  return text === source ? null : text;
}

/** The server knows a script by the digest of its text: it must be that of the text as it is now. */
function editScript(name: string, edit: Edit, embedded: string): string {
  const script = edit.file.slice(edit.file.lastIndexOf('/') + 1, -'.lua'.length);
  const entry = new RegExp(
    `name: '${script}',\\n\\s+sha1: '([0-9a-f]{40})',[^]*?\\n\\s+text: ("(?:[^"\\\\]|\\\\.)*")`,
  ).exec(embedded);
  const [whole, sha1, literal] = entry ?? [];
  if (entry === null || whole === undefined || sha1 === undefined || literal === undefined) {
    throw new Error(`mutant "${name}": ${EMBEDDED} embeds no ${edit.file}`);
  }
  const text = replaceOnce(name, edit, JSON.parse(literal) as string);
  const digest = createHash('sha1').update(text).digest('hex');
  const edited = whole.replace(sha1, digest).replace(literal, () => JSON.stringify(text));
  return embedded.slice(0, entry.index) + edited + embedded.slice(entry.index + whole.length);
}

function replaceOnce(name: string, { file, find, replace }: Edit, text: string): string {
  const parts = text.split(find);
  if (parts.length !== 2) {
    throw new Error(`mutant "${name}": found ${parts.length - 1} times in ${file}, not once: ${find}`);
  }
  return parts.join(replace);
}
