/**
 * What a member must have to write: etcd compares it with the key `alive/MEMBER` in every commit. A member without a
 * lease has none. A new number makes sure that no commit with an older one can happen any more.
 */
export interface Fence {
  /** The key's value: the daemon's run, and the number. */
  readonly value: string;
  /** Grows with each new value of one run. */
  readonly number: number;
}

/** Gives a member its fence. */
export interface FenceKeeper {
  /** Random, for one run of the daemon. */
  readonly run: string;
  /** Null while the member is cut off. */
  fence(): Fence | null;
  /**
   * Asks for a new fence, if `used` is still the newest one. Resolves when there is one, or when the member is cut off.
   */
  renew(used: Fence): Promise<void>;
}

export function fenceOf(run: string, number: number): Fence {
  return { value: `${run}.${number}`, number };
}

/** The number in a value; undefined if it is of another run. */
export function fenceNumber(run: string, value: string | undefined): number | undefined {
  return value?.startsWith(`${run}.`) ? Number(value.slice(run.length + 1)) : undefined;
}

/** The run in a value. */
export function runOf(value: string): string {
  return value.slice(0, Math.max(0, value.lastIndexOf('.')));
}
