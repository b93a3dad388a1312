/** Counts something that each key may hold only so many of. */
export class Quota {
  private readonly max: number;
  private readonly held = new Map<number, number>();

  /** @param max of each key at a time */
  constructor(max: number) {
    this.max = max;
  }

  /** Takes one; false if the key holds all it may. */
  take(key: number): boolean {
    const count = this.held.get(key) ?? 0;
    if (count >= this.max) return false;
    this.held.set(key, count + 1);
    return true;
  }

  /** Gives one back. */
  give(key: number): void {
    const count = this.held.get(key) ?? 0;
    if (count <= 1) this.held.delete(key);
    else this.held.set(key, count - 1);
  }
}
