import { expect } from 'vitest';
import { startProcess } from '@millrace/testkit';
import { test } from '@millrace/testkit/vitest';

// With `resetAndDestroy` in its place, the process spins at its exit and never ends (Node 26.10).
test('a process that resets a connection while it is being ended can exit', async () => {
  await using process = await startProcess({
    module: new URL('../processes/socket-resetter.ts', import.meta.url),
  });
  expect({ ...(await process.exited), output: process.output() }).toEqual({
    code: 0,
    signal: null,
    output: '',
  });
});
