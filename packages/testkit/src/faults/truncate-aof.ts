/**
 * Power loss, as Redis sees it afterwards: the end of the append-only file is missing, because it was written but not yet
 * on the disk. Killing the process alone loses nothing that was written: the kernel keeps it.
 */
import { readFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { RedisNode } from '../topology/redis-node.ts';

/** The size of the file that the server appends to now, in bytes: what lies before it survives `truncateAof(…, { to })`. */
export async function markAof(node: RedisNode): Promise<number> {
  return (await stat(await currentAof(node.folder))).size;
}

/**
 * Cuts the end of a server's append-only file: the last `bytes`, or everything beyond a mark. The server must not run; its
 * next start drops a command that is no longer whole (`aof-load-truncated`, on by default). Gives the bytes that were cut.
 */
export async function truncateAof(
  node: RedisNode,
  cut: { readonly bytes: number } | { readonly to: number },
): Promise<number> {
  if (node.isRunning()) throw new Error(`cannot truncate the file of ${node.name}: kill it first`);
  const file = await currentAof(node.folder);
  const { size } = await stat(file);
  const kept = 'to' in cut ? Math.min(cut.to, size) : Math.max(0, size - cut.bytes);
  await truncate(file, kept);
  return size - kept;
}

/** Since Redis 7 the log is several files, and a manifest says which; the last of type `i` is the one that grows. */
async function currentAof(folder: string): Promise<string> {
  const logFolder = join(folder, 'appendonlydir');
  const manifest = await readFile(join(logFolder, 'appendonly.aof.manifest'), 'utf8').catch(
    (cause: unknown) => {
      throw new Error(`no append-only file in ${folder}: is appendonly on?`, { cause });
    },
  );
  const name = [...manifest.matchAll(/^file (\S+) seq \d+ type i\b/gm)].at(-1)?.[1];
  if (name === undefined) throw new Error(`the manifest in ${logFolder} names no file that grows`);
  return join(logFolder, name);
}
