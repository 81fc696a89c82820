/**
 * What broke one connection of a cluster's client silently (a firewall that forgot them, a cable) has mostly broken the
 * others as well, to its other nodes. One that nobody uses is not known to be dead before its first command has waited for
 * ten seconds, and whoever needs two nodes after each other waits for that twice. So with one, all are asked.
 */
import type { Cluster, Redis } from 'ioredis';
import { serverIdentity } from './server-identity.ts';

/** Far more than an answer takes. It is given only where another node was silent for ten times as long. */
const ANSWER_MS = 1_000;

export function doubtSilentNodes(cluster: Cluster): void {
  cluster.on('node error', (error: unknown) => {
    if (!(error instanceof Error) || !error.message.startsWith('Socket timeout.')) return;
    for (const node of cluster.nodes()) if (node.status === 'ready') void leaveIfSilent(node);
  });
}

/** The driver finds another connection to the node, or the one that serves its slots now. */
async function leaveIfSilent(node: Redis): Promise<void> {
  const timer = setTimeout(() => node.disconnect(), ANSWER_MS);
  try {
    await serverIdentity(node);
  } catch {
    // Lost, which is known by now; or refused, which is an answer.
  } finally {
    clearTimeout(timer);
  }
}
