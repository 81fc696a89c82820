/** Refuses options, and listeners of events, that nobody reads. TypeScript says so while one types; plain JavaScript would go on with the default. */
import { ConfigError } from '@millrace/core';
import { describeKind, describeValue } from './describe-value.ts';

/** Every option by its name, so that the compiler sees to it that none is missing. */
export type OptionNames<T extends object> = Readonly<Record<keyof T, true>>;

/**
 * `whose` begins the message: `producer option`; `within` is the option that holds these: `retry`. Throws
 * `INVALID_OPTION` (ConfigError) for what is no object, and for a name that is unknown, with the nearest one.
 */
export function verifyOptionNames<T extends object>(
  whose: string,
  options: T,
  names: OptionNames<T>,
  within?: string,
): void {
  const given: unknown = options;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    // Not what it is: text in the place of certificates may be a key.
    const subject = within === undefined ? `${whose}s` : `${whose} ${JSON.stringify(within)}`;
    throw new ConfigError('INVALID_OPTION', `${subject} must be an object, not ${describeKind(given)}`);
  }
  for (const option of Object.keys(given)) {
    if (Object.hasOwn(names, option)) continue;
    throw new ConfigError('INVALID_OPTION', unknownName(whose, option, names, within), {
      details: { option },
    });
  }
}

/** Throws `INVALID_OPTION` (ConfigError) for an event that nobody emits, and for a listener that cannot be called. */
export function verifyListener<T extends object>(
  whose: string,
  event: unknown,
  listener: unknown,
  names: OptionNames<T>,
): void {
  const name = typeof event === 'string' ? event : describeValue(event);
  if (!Object.hasOwn(names, name))
    throw new ConfigError('INVALID_OPTION', unknownName(`${whose} event`, name, names));
  if (typeof listener === 'function') return;
  throw new ConfigError(
    'INVALID_OPTION',
    `a listener of the ${whose} event "${name}" must be a function, not ${describeValue(listener)}`,
  );
}

function unknownName(whose: string, given: string, names: object, within?: string): string {
  const shown = (name: string): string => JSON.stringify(within === undefined ? name : `${within}.${name}`);
  const known = Object.keys(names);
  const nearest = nearestName(given, known);
  const hint = nearest === null ? `there are: ${known.join(', ')}` : `did you mean ${shown(nearest)}?`;
  return `there is no ${whose} ${shown(given)}; ${hint}`;
}

/** `null` when none is near enough to be what was meant. */
export function nearestName(given: string, known: readonly string[]): string | null {
  const word = given.toLowerCase();
  const ranked = known
    .map((name) => ({ name, edits: editsBetween(word, name.toLowerCase()) }))
    .toSorted((one, other) => one.edits - other.edits);
  const [first] = ranked;
  if (first === undefined) return null;
  return first.edits <= Math.max(1, Math.floor(Math.min(word.length, first.name.length) / 3))
    ? first.name
    : null;
}

/** Letters to insert, remove, replace or swap with their neighbour (Damerau and Levenshtein; no letter moves twice). */
function editsBetween(from: string, to: string): number {
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const present = [row];
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1];
      let edits = Math.min(
        at(last, column) + 1,
        at(present, column - 1) + 1,
        at(last, column - 1) + (isSame ? 0 : 1),
      );
      const isSwapped =
        row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (isSwapped) edits = Math.min(edits, at(beforeLast, column - 2) + 1);
      present.push(edits);
    }
    [beforeLast, last] = [last, present];
  }
  return at(last, to.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
