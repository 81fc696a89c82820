/** What the demo and its worker processes tell each other. */

export interface WorkerOrders {
  readonly name: string;
  /** May hold a password: sent as a message, because arguments of a process can be read by everybody. */
  readonly redisUrl: string;
  readonly prefix: string;
  readonly group: string;
}

export type WorkerReport =
  | { readonly type: 'joined'; readonly memberId: string }
  /** Sent when it has changed. */
  | { readonly type: 'status'; readonly handled: number; readonly partitions: readonly number[] }
  /** Partitions that were taken away; `refusedCommits` of them were noticed by a commit that Redis refused. */
  | {
      readonly type: 'lost';
      readonly reason: string;
      readonly partitions: number;
      readonly refusedCommits: number;
    }
  /** Something that the consumer or the handler complained about. */
  | { readonly type: 'trouble'; readonly message: string };
