/** The catalogue of topics, as far as the group protocol needs it. */
export interface TopicStore {
  /** Topic → number of partitions. */
  partitionCounts(): Promise<ReadonlyMap<string, number>>;
}
