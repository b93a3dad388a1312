/** Something that can stand in one line at a time. */
export interface Linked<T> {
  /** Who stands behind it. */
  next: T | undefined;
}

/** First come, first served; nothing is made or moved to stand in it. */
export class LinkedQueue<T extends Linked<T>> {
  #first: T | undefined;
  #last: T | undefined;

  get empty(): boolean {
    return this.#first === undefined;
  }

  get first(): T | undefined {
    return this.#first;
  }

  push(item: T): void {
    if (this.#last === undefined) this.#first = item;
    else this.#last.next = item;
    this.#last = item;
  }

  /** Takes the first out of the line. */
  shift(): T | undefined {
    const item = this.#first;
    if (item === undefined) return undefined;
    this.#first = item.next;
    if (item.next === undefined) this.#last = undefined;
    item.next = undefined;
    return item;
  }
}
