/**
 * Hears of a failover from the Sentinels themselves (`+switch-master`). Without it a connection to a primary that hangs,
 * or that only its clients still reach, would learn of its successor by silence, seconds later. A hint: a Sentinel that
 * cannot be reached is tried again, and what nobody told is found by the next look-up.
 */
import { Redis } from 'ioredis';
import { showAddress, type NodeAddress, type SentinelConfig } from './connection-config.ts';
import { lookUpOptions } from './connection-options.ts';

const CHANNEL = '+switch-master';
const RETRY_MS = 1_000;

/** Calls `onSwitch` with the address of the new primary. Returns a function that stops it. */
export function watchSentinels(config: SentinelConfig, onSwitch: (primary: NodeAddress) => void): () => void {
  const watches = config.sentinels.map((sentinel) => {
    const redis = new Redis({
      ...lookUpOptions(config, sentinel),
      enableOfflineQueue: false,
      autoResubscribe: false,
      retryStrategy: () => RETRY_MS,
    });
    redis.on('error', () => {});
    redis.on('ready', () => {
      redis.subscribe(CHANNEL).catch(() => {
        if (redis.status === 'ready') redis.disconnect(true);
      });
    });
    redis.on('message', (_channel: string, message: string) => {
      // <name> <old host> <old port> <new host> <new port>
      const [name, , , host = '', port] = message.split(' ');
      if (name === config.name) onSwitch({ host, port: Number(port) });
    });
    redis.connect().catch(() => {});
    return redis;
  });
  return () => {
    for (const redis of watches) redis.disconnect();
  };
}

export function isSameAddress(one: NodeAddress, other: NodeAddress): boolean {
  return showAddress(one) === showAddress(other);
}
