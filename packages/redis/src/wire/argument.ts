/** An argument of a command as it goes over the wire. Of ASCII: prefixes, topics, groups and numbers hold nothing else. */
export function argument(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}
