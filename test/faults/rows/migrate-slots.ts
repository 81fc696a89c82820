import { GROUPS } from '../load.ts';
import type { Fault } from '../fault.ts';
import { LOSES_NOTHING, MACHINE_MS } from './bounds.ts';

const PARTITIONS_MOVED = 5;

export const migrateSlots: Fault = {
  name: 'migrate-slots',
  what: 'slots of partitions and of a group move to another node under load',
  kind: 'server',
  topologies: ['cluster'],
  losses: LOSES_NOTHING,
  resumeBoundMs: 5_000 + MACHINE_MS,
  redelivery: 'window',
  async run(stage) {
    const keys = [
      ...Array.from({ length: PARTITIONS_MOVED }, () => stage.anyLogKey()),
      stage.observer.groupKey(stage.random.pick(GROUPS)),
    ];
    await stage.inject(null, async () => {
      for (const key of stage.random.shuffle(keys)) await stage.servers.migrateSlot?.(key);
    });
  },
};
