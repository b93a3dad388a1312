export interface ByteLimits {
  /** Bytes that one owner may hold. */
  readonly each: number;
  /** The part of `each` that every owner is guaranteed. */
  readonly sure: number;
  /** Bytes that all owners together may hold beyond what each is guaranteed. */
  readonly common: number;
}

/** The bytes that one owner holds. */
export interface Share {
  /** Whether the owner may hold this many more bytes. */
  hasRoom(bytes: number): boolean;
  /** Adds bytes to what the owner holds; a negative number gives bytes back. */
  count(bytes: number): void;
}

/** Counts the bytes that owners hold: each has a limit, and each has a part that others cannot use up. */
export class ByteShares<Owner> {
  readonly #limits: ByteLimits;
  readonly #held = new Map<Owner, number>();
  /** Bytes that all owners hold beyond what each is guaranteed. */
  #common = 0;

  constructor(limits: ByteLimits) {
    this.#limits = limits;
  }

  of(owner: Owner): Share {
    return {
      hasRoom: (bytes) => this.#hasRoom(owner, bytes),
      count: (bytes) => this.#count(owner, bytes),
    };
  }

  #hasRoom(owner: Owner, bytes: number): boolean {
    const before = this.#held.get(owner) ?? 0;
    const after = before + bytes;
    const common = this.#common - this.#beyond(before) + this.#beyond(after);
    return after <= this.#limits.each && (this.#beyond(after) === 0 || common <= this.#limits.common);
  }

  #count(owner: Owner, bytes: number): void {
    const before = this.#held.get(owner) ?? 0;
    const after = before + bytes;
    this.#common += this.#beyond(after) - this.#beyond(before);
    if (after === 0) this.#held.delete(owner);
    else this.#held.set(owner, after);
  }

  #beyond(bytes: number): number {
    return Math.max(0, bytes - this.#limits.sure);
  }
}
