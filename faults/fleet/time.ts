/** Milliseconds of the machine's monotonic clock, as guests tell them too. */
export function nowMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}
