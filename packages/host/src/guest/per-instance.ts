/** Counts something that each instance may hold only so many of. */
export class PerInstance {
  private readonly max: number;
  private readonly held = new Map<number, number>();

  constructor(max: number) {
    this.max = max;
  }

  /** Takes one; false if the instance holds all it may. */
  take(instanceId: number): boolean {
    const count = this.held.get(instanceId) ?? 0;
    if (count >= this.max) return false;
    this.held.set(instanceId, count + 1);
    return true;
  }

  /** Gives one back. */
  give(instanceId: number): void {
    const count = this.held.get(instanceId) ?? 0;
    if (count <= 1) this.held.delete(instanceId);
    else this.held.set(instanceId, count - 1);
  }
}
