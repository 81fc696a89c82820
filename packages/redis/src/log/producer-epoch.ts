/** Epochs of named producers, through `raise-producer-epoch.lua`. */
import { RAISE_PRODUCER_EPOCH } from '../generated/lua.ts';
import type { Keys } from '../keys.ts';
import { integerAt, unexpectedStatus } from '../reply.ts';
import { runScript, type ScriptConnection } from '../run-script.ts';

export interface RaiseProducerEpochRequest {
  readonly producerId: string;
  /** Fresh for every instance of the producer. */
  readonly session: string;
  /** True to take the name whoever holds it: the first call of an instance. */
  readonly isTaking: boolean;
}

export type RaiseProducerEpochResult =
  /** From the first append with it in a partition on, lower ones are refused there (`PRODUCER_FENCED`). */
  | { readonly status: 'RAISED'; readonly epoch: number }
  /** A later instance has taken the name. */
  | { readonly status: 'FENCED' };

/** Repeating a call whose reply was lost skips an epoch, no more. */
export async function raiseProducerEpoch(
  connection: ScriptConnection,
  keys: Keys,
  { producerId, session, isTaking }: RaiseProducerEpochRequest,
): Promise<RaiseProducerEpochResult> {
  const reply = await runScript(
    connection,
    RAISE_PRODUCER_EPOCH,
    [keys.producers],
    [producerId, session, isTaking ? '1' : '0'],
  );
  switch (reply[0]) {
    case 'RAISED':
      return { status: 'RAISED', epoch: integerAt(reply, 1) };
    case 'FENCED':
      return { status: 'FENCED' };
    default:
      return unexpectedStatus(RAISE_PRODUCER_EPOCH, reply);
  }
}
