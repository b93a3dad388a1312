import { open } from 'node:fs/promises';

/** The container can add any number of mounts, but those of its runtime come first. */
const MOUNTS_MAX_BYTES = 256 * 1024;

const US_PER_TICK = 10_000n;
const NS_PER_US = 1000n;
/** /proc/uptime has two digits after the point. */
const ROUNDING_TICKS = 2n;

/** Whether a process sees a mount at `/dev/lxd`. False if the process has ended. */
export async function hasGuestApi(pid: number): Promise<boolean> {
  try {
    await using file = await open(`/proc/${pid}/mountinfo`);
    const parts: Buffer[] = [];
    for (let size = 0; size < MOUNTS_MAX_BYTES; ) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(16 * 1024), 0, 16 * 1024, null);
      if (bytesRead === 0) break;
      size += bytesRead;
      parts.push(buffer.subarray(0, bytesRead));
    }
    return /^(?:\S+ ){4}\/dev\/lxd /m.test(Buffer.concat(parts).toString());
  } catch {
    return false;
  }
}

/**
 * Converts a time of CLOCK_MONOTONIC into clock ticks after the host's boot. CLOCK_MONOTONIC does not count the time
 * for which the host was suspended. The result is exact or a little too late, never too early.
 * @param uptime the text of /proc/uptime
 * @param nowNs the time of CLOCK_MONOTONIC now
 */
export function ticksOf(monotonicUs: bigint, uptime: string, nowNs = process.hrtime.bigint()): bigint {
  const bootUs = BigInt(Math.round(Number.parseFloat(uptime) * 1_000_000));
  const suspendedUs = bootUs - nowNs / NS_PER_US;
  return (monotonicUs + suspendedUs) / US_PER_TICK + ROUNDING_TICKS;
}
