/** The machine of a Redis loses its power: what had not been flushed to the disk is not there when it comes back. */
import { markAof, truncateAof } from '@millrace/testkit';
import { TOPOLOGIES, type Fault } from '../fault.ts';
import { tearAof } from '../world/tear-aof.ts';
import type { Stage } from '../world/stage.ts';
import { DETECTION_MS, LOSES_BY_FAILOVER, LOSES_TAIL, READER_MS } from './bounds.ts';
import { withFsync } from './kill-server.ts';

/** Between two flushes of `everysec`. */
const UNFLUSHED_MS = 1_000;
const BACKUP_AGE_MS = 2_500;

export const powerLossAlways: Fault = {
  name: 'power-loss-always',
  what: 'a Redis with appendfsync always loses power in the middle of a write',
  kind: 'server',
  topologies: TOPOLOGIES,
  losses: LOSES_BY_FAILOVER,
  resumeBoundMs: READER_MS + DETECTION_MS,
  redelivery: 'window',
  run: (stage) =>
    withFsync(stage, 'always', async () => {
      const primary = await stage.servers.primaryOf(stage.anyLogKey());
      await stage.inject(primary.name, async () => {
        await primary.kill();
        await tearAof(primary);
        await primary.restart();
      });
      await stage.servers.settle();
    }),
};

export const powerLossEverysec: Fault = {
  name: 'power-loss-everysec',
  what: 'a Redis with appendfsync everysec loses power, and with it up to a second of what it had acknowledged',
  kind: 'alone',
  topologies: TOPOLOGIES,
  losses: LOSES_TAIL(),
  resumeBoundMs: READER_MS + DETECTION_MS,
  redelivery: 'window',
  run: (stage) => goBack(stage, stage.random.between(100, UNFLUSHED_MS)),
};

export const restoreBackup: Fault = {
  name: 'restore-backup',
  what: 'a Redis is stopped, and started with data of some seconds ago',
  kind: 'alone',
  topologies: TOPOLOGIES,
  losses: () => ({ mayLose: 'everything', survivedBy: [] }),
  resumeBoundMs: READER_MS + DETECTION_MS,
  redelivery: 'window',
  run: (stage) => goBack(stage, BACKUP_AGE_MS),
};

/** A primary comes back with less than it had. Its replicas are down meanwhile, or one would take its place. */
async function goBack(stage: Stage, ageMs: number): Promise<void> {
  const key = stage.anyLogKey();
  const primary = await stage.servers.primaryOf(key);
  const replicas = await stage.servers.replicasOf(key);
  await stage.inject(primary.name, async () => {
    const mark = await markAof(primary);
    await stage.load(ageMs);
    for (const replica of replicas) await replica.kill();
    await primary.kill();
    await truncateAof(primary, { to: mark });
    await primary.restart();
    for (const replica of replicas) await replica.restart();
  });
  await stage.servers.settle();
}
