/** What most scripts of a group answer with: where the group stands. */
import type { GroupView } from '@millrace/core';
import { integerAt, textAt } from '../reply.ts';
import type { ScriptReply } from '../run-script.ts';

export function decodeView(reply: readonly ScriptReply[]): GroupView {
  const deputies = textAt(reply, 5);
  return {
    generation: integerAt(reply, 1),
    assignmentGeneration: integerAt(reply, 2),
    leader: { memberId: textAt(reply, 3), epoch: integerAt(reply, 4) },
    deputies: deputies === '' ? [] : deputies.split(' '),
  };
}
