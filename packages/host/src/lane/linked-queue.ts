/** An item that can be in one queue at a time. */
export interface Linked<T> {
  /** The item after it. */
  next: T | undefined;
}

/** A first-in, first-out queue that allocates nothing and moves no items. */
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

  shift(): T | undefined {
    const item = this.#first;
    if (item === undefined) return undefined;
    this.#first = item.next;
    if (item.next === undefined) this.#last = undefined;
    item.next = undefined;
    return item;
  }
}
