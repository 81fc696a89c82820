import { eventually } from '@millrace/testkit';
import { TOPOLOGIES, type Fault } from '../fault.ts';
import { PARTITIONS } from '../load.ts';
import { MACHINE_MS } from './bounds.ts';

const DETECTION_MS = 10_000;

export const deleteLog: Fault = {
  name: 'delete-log',
  what: 'somebody deletes the stream of a partition (DEL): appends to it are refused and told, the others go on',
  kind: 'alone',
  topologies: TOPOLOGIES,
  losses: () => ({ mayLose: 'everything', survivedBy: [] }),
  resumeBoundMs: MACHINE_MS,
  redelivery: 'none',
  async run(stage) {
    const partition = stage.random.between(0, PARTITIONS - 1);
    // Nobody can go on with it, and that is right: it has no part in what is judged besides.
    stage.observer.exclude(partition);
    const from = stage.producers.map(({ process }) => process.messages.length);
    await stage.inject(null, async () => {
      await stage.observer.deleteLog(stage.topic, partition);
      const isTold = eventually(
        () =>
          stage.producers.some(({ process }, index) =>
            process.messages
              .slice(from[index])
              .some((message) => message.type === 'error' && message.code === 'LOG_TRUNCATED'),
          ),
        { timeoutMs: DETECTION_MS },
      );
      await isTold.catch(() =>
        stage.report('truncation-silent', `nobody was told that the log of partition ${partition} is gone`),
      );
    });
  },
};
