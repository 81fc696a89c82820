/** The catalogue of topics, as far as the group protocol needs it. */

export interface TopicEntry {
  readonly partitions: number;
  /** Names this creation of the topic: one that is deleted and created again has another. */
  readonly incarnation: string;
}

export type TopicCatalogue = ReadonlyMap<string, TopicEntry>;

export interface TopicStore {
  /** Topic → number of partitions. */
  partitionCounts(): Promise<ReadonlyMap<string, number>>;
  catalogue(): Promise<TopicCatalogue>;
}
