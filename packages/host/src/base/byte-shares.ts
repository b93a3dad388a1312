export interface ByteLimits {
  /** Bytes that one owner may hold. */
  readonly each: number;
  /** Of these, what every owner is sure of ... */
  readonly sure: number;
  /** ... and what all owners together may hold beyond that. */
  readonly common: number;
}

/** What one owner holds. */
export interface Share {
  /** Whether it may hold so many bytes more. */
  hasRoom(bytes: number): boolean;
  /** Counts bytes that are held from now on, negative for such that no longer are. */
  count(bytes: number): void;
}

/** Counts the bytes that owners hold, so that one holds only so much, and many leave to each other what each is sure of. */
export class ByteShares<Owner> {
  private readonly limits: ByteLimits;
  private readonly held = new Map<Owner, number>();
  /** What owners hold beyond what they are sure of. */
  private common = 0;

  constructor(limits: ByteLimits) {
    this.limits = limits;
  }

  of(owner: Owner): Share {
    return {
      hasRoom: (bytes) => this.hasRoom(owner, bytes),
      count: (bytes) => this.count(owner, bytes),
    };
  }

  private hasRoom(owner: Owner, bytes: number): boolean {
    const before = this.held.get(owner) ?? 0;
    const after = before + bytes;
    const common = this.common - this.beyond(before) + this.beyond(after);
    return after <= this.limits.each && (this.beyond(after) === 0 || common <= this.limits.common);
  }

  private count(owner: Owner, bytes: number): void {
    const before = this.held.get(owner) ?? 0;
    const after = before + bytes;
    this.common += this.beyond(after) - this.beyond(before);
    if (after === 0) this.held.delete(owner);
    else this.held.set(owner, after);
  }

  private beyond(bytes: number): number {
    return Math.max(0, bytes - this.limits.sure);
  }
}
