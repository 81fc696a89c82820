/** Appends one record batch through `append.lua` and gives its answer a type. */
import { APPEND } from '../generated/lua.ts';
import type { Keys } from '../keys.ts';
import { integerAt, textAt, unexpectedStatus } from '../reply.ts';
import { isUnknownScript, runScriptText, type ScriptConnection, type ScriptReply } from '../run-script.ts';
import { AppendCommand } from './append-command.ts';

export interface AppendRequest {
  readonly topic: string;
  readonly partition: number;
  readonly producerId: string;
  /** Rises when a producer of this id starts anew; the first append of an epoch has sequence 0. */
  readonly producerEpoch: number;
  /** How many records this producer has appended to this partition in this epoch: the number of the first one here. */
  readonly sequence: number;
  readonly recordCount: number;
  readonly batch: Uint8Array;
}

interface StoredReply<S extends string> {
  readonly status: S;
  readonly baseOffset: number;
  readonly appendedMs: number;
  /** Identity of what answered: another one may have lost what was appended before. */
  readonly server: string;
  /** Of the log: another one where the topic was deleted and created again. */
  readonly incarnation: string;
}

/** What `append.lua` answers; only `APPENDED` has changed the log. */
export type AppendReply =
  /** `appendedMs` is the server's clock, and never below that of the batch before. */
  | StoredReply<'APPENDED'>
  /** The same batch came before and lies there: a success, for a call that was repeated. */
  | StoredReply<'DUPLICATE'>
  | { readonly status: 'UNKNOWN_PARTITION' }
  | { readonly status: 'PRODUCER_FENCED'; readonly epoch: number }
  /** Nothing is known of the producer and the sequence is not 0: go on with a higher epoch and sequence 0. */
  | { readonly status: 'UNKNOWN_PRODUCER' }
  | { readonly status: 'OUT_OF_ORDER_SEQUENCE'; readonly expected: number }
  | { readonly status: 'TOO_LARGE'; readonly maxBytes: number; readonly maxRecords: number }
  /** The partition keeps as many producers as it may, all of them recent. Try again later. */
  | { readonly status: 'TOO_MANY_PRODUCERS'; readonly limit: number; readonly retryAfterMs: number }
  /** The topic's limits leave no room, and nothing is trimmed for it. A limit that is not set is 0. */
  | {
      readonly status: 'TOPIC_FULL';
      readonly records: number;
      readonly maxRecords: number;
      readonly bytes: number;
      readonly maxBytes: number;
    }
  | { readonly status: 'FOREIGN_ENTRY'; readonly id: string }
  | { readonly status: 'LOG_MISSING'; readonly logEnd: number };

/** `onSend`: see `runScript`. */
export function appendBatch(
  connection: ScriptConnection,
  keys: Keys,
  request: AppendRequest,
  onSend?: () => void,
): Promise<AppendReply> {
  onSend?.();
  const command = new AppendCommand(keys, request);
  connection.sendCommand(command);
  return (command.promise as Promise<readonly ScriptReply[]>).then(readReply, async (error: unknown) => {
    if (!isUnknownScript(error)) throw error;
    onSend?.();
    return readReply(await introduce(connection, keys, request));
  });
}

/** The server does not know the script: once more, by its text. */
function introduce(
  connection: ScriptConnection,
  keys: Keys,
  request: AppendRequest,
): Promise<readonly ScriptReply[]> {
  const { log, state, producers, producerTimes } = keys.partition(request.topic, request.partition);
  const { producerId, producerEpoch, sequence, recordCount, batch } = request;
  const bytes = Buffer.isBuffer(batch)
    ? batch
    : Buffer.from(batch.buffer, batch.byteOffset, batch.byteLength);
  const args = [producerId, producerEpoch, sequence, recordCount, bytes];
  return runScriptText(connection, APPEND, [log, state, producers, producerTimes], args);
}

function readReply(reply: readonly ScriptReply[]): AppendReply {
  switch (reply[0]) {
    case 'APPENDED':
    case 'DUPLICATE':
      return {
        status: reply[0],
        baseOffset: integerAt(reply, 1),
        appendedMs: integerAt(reply, 2),
        server: textAt(reply, 3),
        incarnation: textAt(reply, 4),
      };
    case 'UNKNOWN_PARTITION':
      return { status: 'UNKNOWN_PARTITION' };
    case 'PRODUCER_FENCED':
      return { status: 'PRODUCER_FENCED', epoch: integerAt(reply, 1) };
    case 'UNKNOWN_PRODUCER':
      return { status: 'UNKNOWN_PRODUCER' };
    case 'OUT_OF_ORDER_SEQUENCE':
      return { status: 'OUT_OF_ORDER_SEQUENCE', expected: integerAt(reply, 1) };
    case 'TOO_LARGE':
      return { status: 'TOO_LARGE', maxBytes: integerAt(reply, 1), maxRecords: integerAt(reply, 2) };
    case 'TOO_MANY_PRODUCERS':
      return { status: 'TOO_MANY_PRODUCERS', limit: integerAt(reply, 1), retryAfterMs: integerAt(reply, 2) };
    case 'TOPIC_FULL':
      return {
        status: 'TOPIC_FULL',
        records: integerAt(reply, 1),
        maxRecords: integerAt(reply, 2),
        bytes: integerAt(reply, 3),
        maxBytes: integerAt(reply, 4),
      };
    case 'FOREIGN_ENTRY':
      return { status: 'FOREIGN_ENTRY', id: textAt(reply, 1) };
    case 'LOG_MISSING':
      return { status: 'LOG_MISSING', logEnd: integerAt(reply, 1) };
    default:
      return unexpectedStatus(APPEND, reply);
  }
}
