/**
 * `pnpm build`: compiles the published packages to `dist`, in the order of their dependencies. Plain `tsc`: one file
 * stays one file, so that the lease thread finds its entry beside the code that starts it.
 */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

for (const name of ['core', 'redis', 'client', 'testkit']) {
  const folder = join(root, 'packages', name);
  rmSync(join(folder, 'dist'), { recursive: true, force: true });
  execFileSync(join(root, 'node_modules', '.bin', 'tsc'), ['-p', 'tsconfig.build.json'], {
    cwd: folder,
    stdio: 'inherit',
  });
}
