/**
 * How messages show what was given in the place of what an option takes. Text is quoted, so that '5' does not read as 5.
 * Of what may hold a payload or a password, or cannot be printed at all, only its kind is told.
 */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'bigint':
      return `${value}n`;
    case 'number':
    case 'boolean':
      return String(value);
    default:
      return describeKind(value);
  }
}

export function describeKind(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
