/** A member in a process of its own, to be killed. Tells how many partitions it owns whenever that changes. */
import { connect, type ConnectOptions } from '../../src/index.ts';

const settings = JSON.parse(process.argv[2] ?? '{}') as ConnectOptions & {
  readonly group: string;
  readonly topic: string;
};
const { group, topic, ...options } = settings;

const millrace = await connect({ ...options, name: 'victim', logger: false });
const consumer = millrace.consumer({ group, topics: [topic] });
const tell = (): void => void process.send?.({ type: 'owns', partitions: consumer.assignment().length });
// The events come in the middle of a change: what is owned then is told afterwards.
consumer.on('assigned', () => setImmediate(tell));
consumer.on('revoked', () => setImmediate(tell));
await consumer.run({ eachRecord: () => {} });
