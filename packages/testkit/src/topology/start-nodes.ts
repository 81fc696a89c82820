/** Starts several servers; when one does not come up, those that did are stopped. */
import type { StartedNode } from './redis-node.ts';

export async function startNodes(
  starts: readonly (() => Promise<StartedNode>)[],
  started: StartedNode[],
): Promise<StartedNode[]> {
  const outcomes = await Promise.allSettled(starts.map((start) => start()));
  const nodes = outcomes.filter((outcome) => outcome.status === 'fulfilled').map(({ value }) => value);
  started.push(...nodes);
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
  return nodes;
}

/** Runs the start of a topology with a list for its servers, and stops those on it when the start fails. */
export async function orStopAll<T>(start: (started: StartedNode[]) => Promise<T>): Promise<T> {
  const started: StartedNode[] = [];
  try {
    return await start(started);
  } catch (error) {
    await stopAll(started);
    throw error;
  }
}

export async function stopAll(nodes: readonly StartedNode[]): Promise<void> {
  await Promise.all(nodes.map((node) => node.stop()));
}
