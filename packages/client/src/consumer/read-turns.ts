/**
 * Which of the lanes that want to be read are asked, where not all of them can be: nobody a second time before everybody who
 * wants to was asked once.
 *
 * Counting along the list was rejected. A lane that was just read is not in the list until its records are delivered, so the
 * list is another one each time; with 16 partitions and four at a time it closed to a circle that left four out for ever.
 */
export class ReadTurns<L extends object> {
  /** Asked in this round. */
  #asked = new WeakSet<L>();

  /** `count` of `lanes`, or all of them where they are no more. */
  take(lanes: readonly L[], count: number): readonly L[] {
    if (count >= lanes.length) {
      this.#asked = new WeakSet();
      return lanes;
    }
    const chosen: L[] = [];
    let next = 0;
    for (; next < lanes.length && chosen.length < count; next++) {
      const lane = lanes[next];
      if (lane !== undefined && !this.#asked.has(lane)) chosen.push(lane);
    }
    if (chosen.length < count) {
      // The next round begins behind who closed this one, or the first of the list would be asked in every round twice.
      const closing = new Set(chosen);
      this.#asked = new WeakSet();
      next = lanes.indexOf(chosen.at(-1) as L) + 1;
      for (let place = 0; place < lanes.length && chosen.length < count; place++) {
        const lane = lanes[(next + place) % lanes.length];
        if (lane !== undefined && !closing.has(lane)) chosen.push(lane);
      }
    }
    for (const lane of chosen) this.#asked.add(lane);
    return chosen;
  }
}
