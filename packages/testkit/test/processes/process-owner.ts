/** Starts a process that starts one more, freezes the first, and waits to be killed. */
import { startProcess } from '@millrace/testkit';

const child = await startProcess<{ pid: number; grandchild: number }>({
  module: new URL('./child-owner.ts', import.meta.url),
});
const pids = await child.waitFor(() => true);
await child.signal('SIGSTOP');
process.send?.(pids);
process.on('message', () => {});
