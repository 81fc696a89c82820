/**
 * The identity of one creation of a topic, carried by the logs of its partitions: `<stamp>-<random>`.
 *
 * The stamp orders the incarnations of one name. A creator that slept until its topic was deleted and created again
 * would otherwise take the new topic's partitions, still empty, for leftovers and make them its own.
 */
import { randomBytes } from 'node:crypto';

/** Later than any that is left in the partitions, even where the server's clock went back. */
export function newIncarnation(nowMicroseconds: number, left: Iterable<string>): string {
  let stamp = nowMicroseconds;
  for (const incarnation of left) stamp = Math.max(stamp, stampOf(incarnation) + 1);
  return `${stamp}-${randomBytes(12).toString('base64url')}`;
}

/** Whether a topic was created anew since it was `than`. */
export function isLaterIncarnation(incarnation: string, than: string): boolean {
  return stampOf(incarnation) > stampOf(than);
}

function stampOf(incarnation: string): number {
  return Number(/^(\d+)-/.exec(incarnation)?.[1] ?? 0);
}
