/** What INFO says of replication, and the wait for it. */
import type { RedisNode } from './redis-node.ts';

interface ReplicationInfo {
  readonly role: 'primary' | 'replica';
  /** Of a replica: the announced port of its primary. */
  readonly primaryPort: number | undefined;
  /** Of a replica: whether it is connected and has what its primary had when it connected. */
  readonly isLinkUp: boolean;
  /** Bytes of the replication stream that this server has produced or applied. */
  readonly offset: number;
}

async function readReplication(node: RedisNode): Promise<ReplicationInfo> {
  return parseReplication(await node.admin.info('replication'));
}

function parseReplication(info: string): ReplicationInfo {
  const field = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  const port = field('master_port');
  return {
    role: field('role') === 'master' ? 'primary' : 'replica',
    primaryPort: port === undefined ? undefined : Number(port),
    isLinkUp: field('master_link_status') === 'up',
    offset: Number(field('slave_repl_offset') ?? field('master_repl_offset')),
  };
}

/** The running nodes that replicate the one with that announced port. A server that does not answer is left out. */
export async function replicasOfPort<Node extends RedisNode>(
  nodes: readonly Node[],
  primaryPort: number,
): Promise<Node[]> {
  const found: Node[] = [];
  for (const node of nodes) {
    if (!node.isRunning()) continue;
    const replication = await readReplication(node).catch(() => undefined);
    if (replication?.role === 'replica' && replication.primaryPort === primaryPort) found.push(node);
  }
  return found;
}

/** Throws when a node is a replica of another port or not connected. */
export async function assertReplicates(node: RedisNode, primary: RedisNode): Promise<void> {
  const { role, primaryPort, isLinkUp } = await readReplication(node);
  if (role === 'replica' && primaryPort === primary.announcedPort && isLinkUp) return;
  throw new Error(
    `${node.name} is a ${role}${role === 'replica' ? ` of port ${primaryPort}, link ${isLinkUp ? 'up' : 'down'}` : ''}, not connected to ${primary.name} (port ${primary.announcedPort})`,
  );
}
