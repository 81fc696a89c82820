/** A Redis process dies and comes back; the machine it runs on does not. */
import { TOPOLOGIES, type Fault } from '../fault.ts';
import type { Stage } from '../world/stage.ts';
import { DETECTION_MS, LOSES_BY_FAILOVER, LOSES_TAIL, READER_MS } from './bounds.ts';

/** All servers write their append-only files so while `during` runs. */
export async function withFsync(
  { servers }: Stage,
  policy: 'always' | 'everysec',
  during: () => Promise<void>,
): Promise<void> {
  const set = async (value: string): Promise<void> => {
    for (const { admin } of servers.nodes) await admin.config('SET', 'appendfsync', value);
  };
  try {
    await set(policy);
    await during();
  } finally {
    await set('everysec');
  }
}

async function killAPrimary(stage: Stage): Promise<void> {
  const primary = await stage.servers.primaryOf(stage.anyLogKey());
  await stage.inject(primary.name, () => primary.restart('SIGKILL'));
  await stage.servers.settle();
}

export const killServerAlways: Fault = {
  name: 'kill-server-always',
  what: 'a Redis that writes through (appendfsync always) is killed and comes back',
  kind: 'server',
  topologies: TOPOLOGIES,
  losses: LOSES_BY_FAILOVER,
  resumeBoundMs: READER_MS + DETECTION_MS,
  redelivery: 'window',
  run: (stage) => withFsync(stage, 'always', () => killAPrimary(stage)),
};

export const killServerEverysec: Fault = {
  name: 'kill-server-everysec',
  what: 'a Redis with the recommended appendfsync everysec is killed and comes back',
  kind: 'server',
  topologies: TOPOLOGIES,
  // A write to the file can have been put off for a flush under way.
  losses: LOSES_TAIL(),
  resumeBoundMs: READER_MS + DETECTION_MS,
  redelivery: 'window',
  run: killAPrimary,
};
