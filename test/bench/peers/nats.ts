/**
 * Process: a NATS JetStream stream in memory, and a pull consumer that acknowledges everything up to a message. The server
 * is a child of it: whoever kills this process' group, however the bench ends, ends the server too.
 */
import { AckPolicy, jetstream, jetstreamManager, StorageType } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { startNats, type NatsServer } from './nats-server.ts';
import { stopwatch, type Timing } from '../run/stopwatch.ts';
import { serveTasks } from '../run/task-server.ts';
import { bufferValue, VALUE_BYTES } from '../run/values.ts';

export interface ConsumeArgs {
  readonly records: number;
  /** A new consumer, which begins at the first message. */
  readonly consumer: string;
  /** Messages that may be on their way to the client. */
  readonly maxMessages: number;
  /** An acknowledgement is sent after so many. */
  readonly ackEvery: number;
}

let connection: NatsConnection | undefined;
let server: NatsServer | undefined;

function use(): NatsConnection {
  if (connection === undefined) throw new Error('not open');
  return connection;
}

const STREAM = 'bench';
/** Published without waiting for each answer, as nobody measures it; what is in the stream is counted afterwards. */
const PUBLISH_CHUNK = 1_000;

const tasks = {
  async open({ binary }: { binary: string }): Promise<void> {
    server = await startNats(binary);
    connection = await connect({ servers: `127.0.0.1:${server.port}` });
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: STREAM, subjects: ['bench.*'], storage: StorageType.Memory });
  },

  async fill({ records, subjects }: { records: number; subjects: number }): Promise<void> {
    for (let index = 0; index < records; index++) {
      use().publish(`bench.${index % subjects}`, bufferValue(index));
      if ((index + 1) % PUBLISH_CHUNK === 0) await use().flush();
    }
    await use().flush();
    const manager = await jetstreamManager(use());
    const { state } = await manager.streams.info(STREAM);
    if (state.messages !== records) throw new Error(`${records} published, ${state.messages} stored`);
  },

  async consume({ records, consumer: name, maxMessages, ackEvery }: ConsumeArgs): Promise<Timing> {
    const manager = await jetstreamManager(use());
    await manager.consumers.add(STREAM, {
      durable_name: name,
      ack_policy: AckPolicy.All,
      max_ack_pending: -1,
      mem_storage: true,
    });
    const consumer = await jetstream(use()).consumers.get(STREAM, name);
    let [seen, bytes] = [0, 0];
    const complete = Promise.withResolvers<void>();
    const timing = await stopwatch(records, async () => {
      const messages = await consumer.consume({
        max_messages: maxMessages,
        callback: (message) => {
          seen++;
          bytes += message.data.length;
          if (seen === records) {
            // The last one waits until the server has it.
            message.ackAck().then(() => complete.resolve(), complete.reject);
          } else if (seen % ackEvery === 0) message.ack();
        },
      });
      await complete.promise;
      messages.stop();
    });
    const info = await consumer.info();
    await manager.consumers.delete(STREAM, name);
    const acknowledged = info.ack_floor.stream_seq;
    if (seen !== records || bytes !== records * VALUE_BYTES || acknowledged !== records)
      throw new Error(`${records} expected: ${seen} came, of ${bytes} bytes, ${acknowledged} acknowledged`);
    return timing;
  },

  async close(): Promise<void> {
    await connection?.close();
    await server?.[Symbol.asyncDispose]();
  },
};

export type Nats = typeof tasks;
serveTasks(tasks);
