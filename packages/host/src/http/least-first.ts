/** An item of a `LeastFirst`. */
export interface Ranked {
  /** Does not change while the item is in the heap. */
  readonly rank: number;
}

/** A binary heap that gives the item of least rank first. */
export class LeastFirst<Item extends Ranked> {
  readonly #items: Item[] = [];

  get size(): number {
    return this.#items.length;
  }

  push(item: Item): void {
    const items = this.#items;
    let at = items.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (items[parent]!.rank <= item.rank) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = item;
  }

  /** Takes out the item of least rank. */
  pop(): Item | undefined {
    const items = this.#items;
    const least = items[0];
    const last = items.pop();
    if (items.length > 0) this.#sink(last!);
    return least;
  }

  /** Puts `item` in the place of the first one, and moves it down to where it belongs. */
  #sink(item: Item): void {
    const items = this.#items;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child + 1 < items.length && items[child + 1]!.rank < items[child]!.rank) child++;
      if (child >= items.length || items[child]!.rank >= item.rank) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = item;
  }
}
