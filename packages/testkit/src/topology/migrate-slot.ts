/** Moves one slot of a Cluster by hand (SETSLOT, MIGRATE, SETSLOT), the way that Redis before 8.4 and `redis-cli` do it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { RedisNode } from './redis-node.ts';

export interface MigrateSlotOptions {
  /** Keys in one MIGRATE; both nodes stand still while it runs. Default 10. */
  readonly keysPerStep?: number;
  /** Pause between two steps, so that clients meet a slot that is half moved. Default 0. */
  readonly pauseMs?: number;
}

/** Gives the number of keys moved. After an error the slot stays half moved, as it would for an operator. */
export async function migrateSlot(
  slot: number,
  from: RedisNode,
  to: RedisNode,
  nodes: readonly RedisNode[],
  { keysPerStep = 10, pauseMs = 0 }: MigrateSlotOptions,
): Promise<number> {
  const fromId = (await from.admin.call('CLUSTER', 'MYID')) as string;
  const toId = (await to.admin.call('CLUSTER', 'MYID')) as string;
  await to.admin.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId);
  await from.admin.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
  let moved = 0;
  for (;;) {
    const keys = (await from.admin.call('CLUSTER', 'GETKEYSINSLOT', slot, keysPerStep)) as string[];
    if (keys.length === 0) break;
    await from.admin.call('MIGRATE', ...migrateArguments(to, keys));
    moved += keys.length;
    if (pauseMs > 0) await delay(pauseMs);
  }
  // The new owner first: in between, the old one would send clients to a node that does not know it owns the slot.
  await to.admin.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId);
  await from.admin.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId);
  for (const node of nodes) {
    if (node === to || node === from || (await node.role()) !== 'primary') continue;
    await node.admin.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId);
  }
  return moved;
}

/** Past the proxy: servers move keys between each other without a client in it. */
function migrateArguments(to: RedisNode, keys: readonly string[]): string[] {
  const password = decodeURIComponent(new URL(to.url).password);
  const auth = password === '' ? [] : ['AUTH', password];
  return [to.host, String(to.port), '', '0', '5000', ...auth, 'KEYS', ...keys];
}
