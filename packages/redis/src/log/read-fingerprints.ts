/** What a log holds where batches ended that somebody has read or appended: see `findTruncation` of the client. */
import type { LogFingerprints } from '@millrace/core';
import { READ_FINGERPRINTS } from '../generated/lua.ts';
import type { Keys } from '../keys.ts';
import { integerAt, listAt, textAt, unexpectedStatus } from '../reply.ts';
import { runScript, type ScriptConnection } from '../run-script.ts';

/**
 * Null where there is no such partition. The server copies each entry that it looks at: ask for few at a time.
 * `nextOffsets` are the offsets after the last record of each batch.
 */
export async function readFingerprints(
  connection: ScriptConnection,
  keys: Keys,
  topic: string,
  partition: number,
  nextOffsets: readonly number[],
): Promise<LogFingerprints | null> {
  const { log, state } = keys.partition(topic, partition);
  const reply = await runScript(connection, READ_FINGERPRINTS, [log, state], nextOffsets);
  switch (reply[0]) {
    case 'OK':
      return {
        logStart: integerAt(reply, 1),
        logEnd: integerAt(reply, 2),
        incarnation: textAt(reply, 3),
        server: textAt(reply, 4),
        fingerprints: listAt(reply, 5).map((fingerprint) => String(fingerprint)),
      };
    case 'UNKNOWN_PARTITION':
      return null;
    default:
      return unexpectedStatus(READ_FINGERPRINTS, reply);
  }
}
