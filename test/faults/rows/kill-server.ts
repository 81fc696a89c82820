/** A Redis process dies and comes back; the machine it runs on does not. */
import { TOPOLOGIES, type Fault } from '../fault.ts';
import type { Stage } from '../world/stage.ts';
import { DETECTION_MS, LOSES_NOTHING, READER_MS } from './bounds.ts';

export async function setFsync({ servers }: Stage, policy: 'always' | 'everysec'): Promise<void> {
  for (const { admin } of servers.nodes) await admin.config('SET', 'appendfsync', policy);
}

async function killAPrimary(stage: Stage): Promise<void> {
  const primary = await stage.servers.primaryOf(stage.anyLogKey());
  await stage.inject(primary.name, () => primary.restart('SIGKILL'));
}

export const killServerAlways: Fault = {
  name: 'kill-server-always',
  what: 'a Redis that writes through (appendfsync always) is killed and comes back',
  topologies: TOPOLOGIES,
  ...LOSES_NOTHING,
  resumeBoundMs: READER_MS + DETECTION_MS,
  redelivery: 'window',
  async run(stage) {
    await setFsync(stage, 'always');
    await killAPrimary(stage);
    await setFsync(stage, 'everysec');
  },
};

export const killServerEverysec: Fault = {
  name: 'kill-server-everysec',
  what: 'a Redis with the recommended appendfsync everysec is killed and comes back',
  topologies: TOPOLOGIES,
  // A write to the file that was put off for a flush under way.
  mayLose: 'tail',
  survivedBy: ['fsynced'],
  resumeBoundMs: READER_MS + DETECTION_MS,
  redelivery: 'window',
  run: killAPrimary,
};
