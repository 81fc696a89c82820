/**
 * Second step of the choice of extras: chains of moves. A member hands an extra of one topic to a second member, which
 * hands an extra of another topic to a third, and so on. Only the ends change their load, so a chain can even out
 * members that share no topic, or give a partition back to its owner without anybody's load changing.
 *
 * It is minimum-cost flow with convex costs, solved by negative paths: Bellman-Ford over members and topics, where all
 * members start at once (at minus their level) and a topic passes on the cheapest of its holders. When no chain and no
 * cycle lowers the cost, no other choice does (Ahuja, Magnanti, Orlin: Network Flows, chapters 9 and 14).
 */
import { MOVE_COST, UNIT, type ContestedTopic, type Extras } from './extras.ts';

const NOWHERE = -1;

/** Afterwards MOVE_COST times the moves, plus UNIT times half the sum of squared levels, is the least there is. */
export function improveExtras(extras: Extras): void {
  const search = new ChainSearch(extras);
  while (search.improve());
}

class ChainSearch {
  readonly #levels: Float64Array;
  readonly #contested: readonly ContestedTopic[];
  /** Per member: least cost of a chain after which this member has one extra more and no load is settled here yet. */
  readonly #costs: Float64Array;
  /** Per member: topic of the last move of that chain (NOWHERE: the chain starts here) and the member's place in it. */
  readonly #lastTopic: Int32Array;
  readonly #lastPlace: Int32Array;
  /** Per topic: least cost of a chain after which the topic has an extra to place, and the place of the one who gave it. */
  readonly #topicCosts: Float64Array;
  readonly #giverPlace: Int32Array;
  /** Number of the search in which a chain last went through; chains found by one search must not touch. */
  readonly #memberUsed: Int32Array;
  readonly #topicUsed: Int32Array;
  #search = 0;

  constructor({ levels, contested }: Extras) {
    this.#levels = levels;
    this.#contested = contested;
    this.#costs = new Float64Array(levels.length);
    this.#lastTopic = new Int32Array(levels.length);
    this.#lastPlace = new Int32Array(levels.length);
    this.#topicCosts = new Float64Array(contested.length);
    this.#giverPlace = new Int32Array(contested.length);
    this.#memberUsed = new Int32Array(levels.length);
    this.#topicUsed = new Int32Array(contested.length);
  }

  /** One search; applies every improvement that it finds. False when there is none, which proves the choice best. */
  improve(): boolean {
    this.#search++;
    for (let m = 0; m < this.#costs.length; m++) this.#costs[m] = -this.#levels[m]!;
    this.#lastTopic.fill(NOWHERE);
    this.#topicCosts.fill(Infinity);
    while (this.#relax()) {
      const cycles = this.#findCycles();
      if (cycles.length === 0) continue;
      for (const cycle of cycles) this.#apply(cycle);
      return true;
    }
    let hasImproved = false;
    for (const end of this.#profitableEnds()) {
      const chain = this.#chainTo(end);
      if (chain === undefined) continue;
      this.#levels[this.#giverOf(chain.at(-1)!)]! -= UNIT;
      this.#levels[end]! += UNIT;
      this.#apply(chain);
      hasImproved = true;
    }
    return hasImproved;
  }

  /** Makes every chain longer by one move where that is cheaper; false when nothing was. */
  #relax(): boolean {
    const costs = this.#costs;
    let hasChanged = false;
    for (const [t, { members, keeps, holders }] of this.#contested.entries()) {
      let cheapest = this.#topicCosts[t]!;
      for (let i = 0; i < holders; i++) {
        const cost = costs[members[i]!]! + keeps[i]! * MOVE_COST;
        if (cost < cheapest) {
          cheapest = cost;
          this.#giverPlace[t] = i;
        }
      }
      if (cheapest === this.#topicCosts[t]) continue;
      this.#topicCosts[t] = cheapest;
      for (let i = holders; i < members.length; i++) {
        const m = members[i]!;
        const cost = cheapest - keeps[i]! * MOVE_COST;
        if (cost < costs[m]!) {
          costs[m] = cost;
          this.#lastTopic[m] = t;
          this.#lastPlace[m] = i;
          hasChanged = true;
        }
      }
    }
    return hasChanged;
  }

  #giverOf(m: number): number {
    const t = this.#lastTopic[m]!;
    return this.#contested[t]!.members[this.#giverPlace[t]!]!;
  }

  /**
   * Chains that end where they began: such a chain saves moves and changes no load. A member and a topic have one
   * predecessor each, so no two of them touch.
   */
  #findCycles(): number[][] {
    const cycles: number[][] = [];
    const seenFrom = new Int32Array(this.#costs.length).fill(NOWHERE);
    for (let start = 0; start < seenFrom.length; start++) {
      let m = start;
      while (seenFrom[m] === NOWHERE && this.#lastTopic[m] !== NOWHERE) {
        seenFrom[m] = start;
        m = this.#giverOf(m);
      }
      if (seenFrom[m] !== start) continue;
      const cycle = [m];
      for (let next = this.#giverOf(m); next !== m; next = this.#giverOf(next)) cycle.push(next);
      cycles.push(cycle);
    }
    return cycles;
  }

  /** Members at which a chain ends that pays for itself, the best first. */
  #profitableEnds(): number[] {
    const ends: number[] = [];
    const balance = (m: number): number => this.#costs[m]! + this.#levels[m]! + UNIT;
    for (let m = 0; m < this.#costs.length; m++) {
      if (this.#lastTopic[m] !== NOWHERE && balance(m) < 0) ends.push(m);
    }
    return ends.sort((a, b) => balance(a) - balance(b) || a - b);
  }

  /** The receivers of the chain that ends at `end`, last first; `undefined` when it touches one applied before. */
  #chainTo(end: number): number[] | undefined {
    const chain: number[] = [];
    let m = end;
    for (; this.#lastTopic[m] !== NOWHERE; m = this.#giverOf(m)) {
      if (this.#memberUsed[m] === this.#search || this.#topicUsed[this.#lastTopic[m]!] === this.#search)
        return undefined;
      chain.push(m);
    }
    return this.#memberUsed[m] === this.#search ? undefined : chain;
  }

  /** Each receiver changes places with the giver in the topic between them. */
  #apply(receivers: readonly number[]): void {
    for (const m of receivers) {
      const t = this.#lastTopic[m]!;
      const { members, keeps } = this.#contested[t]!;
      const from = this.#giverPlace[t]!;
      const to = this.#lastPlace[m]!;
      const giver = members[from]!;
      const giverKeeps = keeps[from]!;
      members[from] = m;
      keeps[from] = keeps[to]!;
      members[to] = giver;
      keeps[to] = giverKeeps;
      this.#memberUsed[m] = this.#search;
      this.#memberUsed[giver] = this.#search;
      this.#topicUsed[t] = this.#search;
    }
  }
}
