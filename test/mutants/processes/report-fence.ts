/** Says whether the script that commits has its fence, here and in a worker thread. */
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
// By its path: scripts are not part of what the package exports.
import { COMMIT_OFFSET } from '../../../packages/redis/src/generated/lua.ts';

const hasFence = COMMIT_OFFSET.text.includes('if o[1] ~= epoch or o[2] ~= nonce then');

if (isMainThread) {
  const thread = new Worker(new URL(import.meta.url));
  thread.once('message', (inThread: boolean) => {
    process.stdout.write(JSON.stringify({ main: hasFence, thread: inThread }));
  });
} else {
  parentPort?.postMessage(hasFence);
}
