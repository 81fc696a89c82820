/** docs/protocol.md names every type of event that a group's history can hold, and no other. */
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(`${root}${path}`, 'utf8');
const all = (pattern: string): string[] => globSync(pattern, { cwd: root }).map(read);

/** What a script writes; `'leader-' .. reason` is spelled out by the reasons that there are. */
function writtenByScripts(): string[] {
  const reasons = /type DeposeReason = (.+);/.exec(read('packages/core/src/ports/group-store.ts'))?.[1] ?? '';
  return all('packages/redis/scripts/*.lua').flatMap((script) =>
    [...script.matchAll(/'type', '([a-z-]+)'( \.\. reason)?/g)].flatMap(([, type = '', isPrefix]) =>
      isPrefix === undefined
        ? [type]
        : Array.from(reasons.matchAll(/\w+/g), ([reason]) => `${type}${reason}`),
    ),
  );
}

function writtenByClient(): string[] {
  return all('packages/client/src/**/*.ts').flatMap((source) =>
    Array.from(source.matchAll(/\.appendEvent\(\s*'([a-z-]+)'/g), ([, type = '']) => type),
  );
}

test('the types of events are those of the code', () => {
  const sentence =
    /The history in `events` has these types:([^.]*)\./.exec(read('docs/protocol.md'))?.[1] ?? '';
  const documented = Array.from(sentence.matchAll(/`([a-z-]+)`/g), ([, type = '']) => type);
  const written = new Set([...writtenByScripts(), ...writtenByClient()]);
  expect(written.size).toBeGreaterThan(10);
  expect(documented.sort()).toEqual([...written].sort());
});
