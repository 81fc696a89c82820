/** Something that keeps a core busy and needs nothing but the core: the handler of the row about processes. */

/** About 20 µs on a core of today. Returns what it computed, so that it cannot be left out. */
export function cpuWork(seed: number): number {
  let state = seed | 1;
  for (let step = 0; step < 12_000; step++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
  }
  return state;
}
