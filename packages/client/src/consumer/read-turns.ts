/**
 * Which of the lanes that want to be read are asked, where not all of them can be: nobody a second time before everybody who
 * wanted to when the round began was asked once.
 *
 * Looking at all lanes again for each read was rejected: with a thousand of them that costs as much as what a read brings.
 */
export class ReadTurns<L> {
  readonly #lanes: () => Iterable<L>;
  readonly #isWanting: (lane: L) => boolean;
  /** Those that are still to be asked, the next one last. */
  #round: L[] = [];

  constructor(lanes: () => Iterable<L>, isWanting: (lane: L) => boolean) {
    this.#lanes = lanes;
    this.#isWanting = isWanting;
  }

  /** The first one of a read; begins a new round where the last one is over. `undefined` when nobody wants to be asked. */
  first(): L | undefined {
    const lane = this.next();
    if (lane !== undefined) return lane;
    this.#round = this.all().reverse();
    return this.#round.pop();
  }

  /** The next one of this round that still wants to be asked; `undefined` when the round is over. */
  next(): L | undefined {
    for (;;) {
      const lane = this.#round.pop();
      if (lane === undefined || this.#isWanting(lane)) return lane;
    }
  }

  /** Everybody who wants to be asked, whosever turn it is. */
  all(): L[] {
    const wanting: L[] = [];
    for (const lane of this.#lanes()) if (this.#isWanting(lane)) wanting.push(lane);
    return wanting;
  }
}
