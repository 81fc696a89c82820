/** Faults last for a time: the one place here that waits for a clock instead of a condition. */
import { setTimeout as delay } from 'node:timers/promises';

export async function pause(ms: number): Promise<void> {
  await delay(ms);
}
