/** Reads CLUSTER NODES: who a node believes to own what. Pure. */

export interface ClusterNodeView {
  readonly id: string;
  /** The announced port. */
  readonly port: number;
  readonly isMyself: boolean;
  readonly isPrimary: boolean;
  /** Id of its primary, for a replica. */
  readonly primaryId: string | undefined;
  /** `fail`, `fail?`, `handshake`, `noaddr`: not to be relied upon. */
  readonly isDoubtful: boolean;
  readonly configEpoch: number;
  /** Inclusive ranges. */
  readonly slots: readonly (readonly [first: number, last: number])[];
}

/** Slots on their way (`[93-<-id]`) stand with the node that still owns them. */
export function parseClusterNodes(text: string): ClusterNodeView[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [id = '', address = '', flagList = '', primaryId = '-', , , configEpoch, , ...slots] = line
        .trim()
        .split(' ');
      const flags = new Set(flagList.split(','));
      return {
        id,
        port: Number(/:(\d+)@/.exec(address)?.[1]),
        isMyself: flags.has('myself'),
        isPrimary: flags.has('master'),
        primaryId: primaryId === '-' ? undefined : primaryId,
        isDoubtful: ['fail', 'fail?', 'handshake', 'noaddr'].some((flag) => flags.has(flag)),
        configEpoch: Number(configEpoch),
        slots: slots.filter((slot) => !slot.startsWith('[')).map(parseRange),
      };
    });
}

function parseRange(text: string): readonly [number, number] {
  const [first, last = first] = text.split('-').map(Number);
  return [first ?? 0, last ?? 0];
}

export function ownsSlot({ slots }: ClusterNodeView, slot: number): boolean {
  return slots.some(([first, last]) => first <= slot && slot <= last);
}

/** What two nodes must tell alike for their Cluster to be of one mind: each owner's slots, and who replicates whom. */
export function describeLayout(views: readonly ClusterNodeView[]): string {
  return views
    .map(({ port, isPrimary, primaryId, isDoubtful, slots }) => {
      const owned = slots.map((range) => range.join('-')).join(',');
      return `${port} ${isPrimary ? 'primary' : `replica of ${primaryId}`}${isDoubtful ? ' in doubt' : ''} ${owned}`;
    })
    .sort()
    .join('\n');
}
