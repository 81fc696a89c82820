/** Text of a map from topic to incarnation, `orders:1-x audit:2-y`: neither holds a blank or a colon. */

export function encodeIncarnations(incarnations: ReadonlyMap<string, string>): string {
  return [...incarnations].map(([topic, incarnation]) => `${topic}:${incarnation}`).join(' ');
}

export function decodeIncarnations(text: string): Map<string, string> {
  const incarnations = new Map<string, string>();
  if (text === '') return incarnations;
  for (const entry of text.split(' ')) {
    const colon = entry.indexOf(':');
    incarnations.set(entry.slice(0, colon), entry.slice(colon + 1));
  }
  return incarnations;
}
