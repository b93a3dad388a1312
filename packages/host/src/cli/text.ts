const DECIMAL_UNITS = ['kB', 'MB', 'GB', 'TB', 'PB', 'EB'];
const BINARY_UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];

/** Bytes as LXD's tables show them: `1.04MB`. */
export function formatBytes(bytes: number): string {
  return withUnit(bytes, 1000, DECIMAL_UNITS);
}

/** Bytes in powers of 1024, as LXD shows memory: `436.00KiB`. */
export function formatMemory(bytes: number): string {
  return withUnit(bytes, 1024, BINARY_UNITS);
}

function withUnit(bytes: number, base: number, units: readonly string[]): string {
  if (bytes < base) return `${bytes}B`;
  let value = bytes / base;
  let unit = 0;
  while (value >= base && unit < units.length - 1) {
    value /= base;
    unit++;
  }
  return `${value.toFixed(2)}${units[unit]}`;
}

/** Times before this year mean "never" in LXD's API. */
const FIRST_YEAR = 1971;

/** An RFC 3339 time as LXD's tables show it, in UTC: `2026/03/01 12:00 UTC`; empty for "never". */
export function formatTime(time: string): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime()) || date.getUTCFullYear() < FIRST_YEAR) return '';
  return `${date.toISOString().slice(0, 16).replaceAll('-', '/').replace('T', ' ')} UTC`;
}

/** `yes` or `no`. */
export function yesNo(value: boolean): string {
  return value ? 'yes' : 'no';
}

let collator: Intl.Collator | undefined;

/** Orders names with numbers by value: c2 before c10. */
export function compareNames(a: string, b: string): number {
  // Made only when it is needed: that takes a tenth of the time of most commands.
  collator ??= new Intl.Collator('en', { numeric: true });
  return collator.compare(a, b);
}
