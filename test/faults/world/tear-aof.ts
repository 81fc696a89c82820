/** A write to the append-only file that ends in the middle, as a machine without power leaves it. */
import { appendFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RedisNode } from '@millrace/testkit';

/** Of a server that does not run: half a command, which nobody can have an answer to. */
export async function tearAof({ folder, name }: RedisNode): Promise<void> {
  const files = join(folder, 'appendonlydir');
  const current = (await readdir(files)).sort().findLast((file) => file.endsWith('.incr.aof'));
  if (current === undefined) throw new Error(`${name} has no append-only file that grows`);
  await appendFile(join(files, current), '*3\r\n$3\r\nSET\r\n$9\r\nunfini');
}
