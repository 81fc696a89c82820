/**
 * Reads one script. Its header is its contract, which wrappers and the protocol's documentation are written from, and
 * the body is held to it: the `KEYS`, the `ARGV` and the statuses of the replies that the header tells of are those
 * that the body has, no more and no fewer.
 */
import { createHash } from 'node:crypto';

export interface LuaSource {
  /** Of the file, without `.lua`. */
  readonly name: string;
  readonly sha1: string;
  /** What is sent: comments and blank lines stay in the repository, the script cache does not need them. */
  readonly text: string;
  /** -1 where the header declares a list. */
  readonly keyCount: number;
}

const SHEBANG = /^#!lua( flags=(allow-oom|no-writes))?$/;

/** Throws an Error that names the file and what is wrong. */
export function readLuaSource(file: string, source: string): LuaSource {
  const problem = (what: string): Error => new Error(`${file}: ${what}`);
  const [shebang = '', ...lines] = source.split('\n');
  if (!SHEBANG.test(shebang)) {
    throw problem(`the first line must be #!lua, alone or with one of the flags allow-oom and no-writes`);
  }
  if (source.includes('--['))
    throw problem('a comment of many lines cannot be told from code: use -- on each');
  const headerEnd = lines.findIndex((line) => !line.startsWith('--'));
  const header = lines.slice(0, headerEnd).join('\n');
  const body = lines.slice(headerEnd).filter((line) => !/^\s*(--.*)?$/.test(line));
  for (const section of ['Purpose', 'Returns', 'Keeps']) {
    if (!new RegExp(`^-- ${section}: `, 'm').test(header)) throw problem(`the header lacks "-- ${section}:"`);
  }
  const text = [shebang, ...body].join('\n');
  const keyCount = checkInputs(problem, 'KEYS', header, text);
  checkInputs(problem, 'ARGV', header, text);
  checkStatuses(problem, header, text);
  const sha1 = createHash('sha1').update(text).digest('hex');
  return { name: file.replace(/\.lua$/, ''), sha1, text, keyCount };
}

type Problem = (what: string) => Error;

/** The number of declared inputs, or -1 where the last one is a list. */
function checkInputs(problem: Problem, name: 'KEYS' | 'ARGV', header: string, text: string): number {
  const declared = [...header.matchAll(new RegExp(`^-- ${name}\\[(\\d+)(\\.\\.\\.)?\\] \\S`, 'gm'))];
  const list = declared.findIndex((match) => match[2] !== undefined);
  const count = list < 0 ? declared.length : list;
  declared.forEach((match, index) => {
    if (Number(match[1]) !== index + 1 || (list >= 0 && index > list)) {
      throw problem(
        `${name}[${match[1]}] is declared out of order: a header counts from 1, a list comes last`,
      );
    }
  });

  const used = [...text.matchAll(new RegExp(`${name}\\[(\\d+)\\]`, 'g'))].map((match) => Number(match[1]));
  const firstUses = [...new Set(used)];
  for (let index = 1; index <= count; index++) {
    if (!firstUses.includes(index)) throw problem(`${name}[${index}] is declared and not used`);
  }
  firstUses.forEach((index, position) => {
    if (list < 0 && index > count) throw problem(`${name}[${index}] is used and not declared`);
    if (index <= count && index !== position + 1)
      throw problem(`${name}[${index}] is not bound in its order`);
  });
  const usesList = new RegExp(`${name}(?!\\[\\d+\\])`).test(text) || firstUses.some((index) => index > count);
  if (usesList && list < 0) throw problem(`${name} is used as a list and not declared as one`);
  if (!usesList && list >= 0) throw problem(`${name}[${count + 1}...] is declared and not used`);
  return list < 0 ? count : -1;
}

function checkStatuses(problem: Problem, header: string, text: string): void {
  const returns = /^-- Returns: [^]*?(?=^-- Keeps: )/m.exec(header)?.[0] ?? '';
  const declared = new Set([...returns.matchAll(/\{'([A-Z_]+)'/g)].map((match) => match[1]));
  const answered = new Set([...text.matchAll(/return \{ '([A-Z_]+)'/g)].map((match) => match[1]));
  for (const status of answered) {
    if (!declared.has(status)) throw problem(`${status} is answered and not declared under Returns`);
  }
  for (const status of declared) {
    if (!answered.has(status)) throw problem(`${status} is declared under Returns and never answered`);
  }
}
