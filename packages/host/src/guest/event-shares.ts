export interface EventShareLimits {
  /** Bytes of events that wait for all readers of one instance together. */
  readonly eventInstanceBytes: number;
  /** Of these, what every instance is sure of ... */
  readonly eventSureBytes: number;
  /** ... and what all instances together may have beyond that. */
  readonly eventCommonBytes: number;
}

/**
 * Counts the bytes of events that wait for readers, so that the readers of one instance hold only so much, and
 * those of many leave to each other what each is sure of.
 */
export class EventShares {
  private readonly limits: EventShareLimits;
  private readonly held = new Map<number, number>();
  /** What instances hold beyond what they are sure of. */
  private common = 0;

  constructor(limits: EventShareLimits) {
    this.limits = limits;
  }

  /** Whether an instance may have so many bytes more wait. */
  hasRoom(instanceId: number, bytes: number): boolean {
    const { eventInstanceBytes, eventCommonBytes } = this.limits;
    const before = this.held.get(instanceId) ?? 0;
    const after = before + bytes;
    const common = this.common - this.beyond(before) + this.beyond(after);
    return after <= eventInstanceBytes && (this.beyond(after) === 0 || common <= eventCommonBytes);
  }

  /** Counts bytes that wait from now on, negative for such that no longer do. */
  count(instanceId: number, bytes: number): void {
    const before = this.held.get(instanceId) ?? 0;
    const after = before + bytes;
    this.common += this.beyond(after) - this.beyond(before);
    if (after === 0) this.held.delete(instanceId);
    else this.held.set(instanceId, after);
  }

  private beyond(bytes: number): number {
    return Math.max(0, bytes - this.limits.eventSureBytes);
  }
}
