/** One partition's slot in the simulated Redis: its log, and what each group has of it. */
import { LogModel } from '../../packages/redis/test/group/model/log-model.ts';
import { PartitionModel } from '../../packages/redis/test/group/model/partition-model.ts';

export class PartitionSlot {
  readonly incarnation: string;
  log = new LogModel();
  /** Of every offset; known to the simulation alone. */
  values: string[] = [];
  groups = new Map<string, PartitionModel>();

  constructor(incarnation: string) {
    this.incarnation = incarnation;
  }

  clone(): PartitionSlot {
    const copy = new PartitionSlot(this.incarnation);
    copy.log = this.log.clone();
    copy.values = this.values.slice();
    for (const [group, model] of this.groups) copy.groups.set(group, model.clone());
    return copy;
  }

  group(group: string, server: string): PartitionModel {
    let model = this.groups.get(group);
    if (model === undefined) {
      model = new PartitionModel(this.incarnation);
      model.setLog(this.log.start, this.log.end);
      this.groups.set(group, model);
    }
    model.server = server;
    return model;
  }

  /** Its log has grown, or was trimmed. */
  logChanged(): void {
    for (const model of this.groups.values()) model.setLog(this.log.start, this.log.end);
  }
}
