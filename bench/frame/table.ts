/** Lines of a table with aligned columns: the first aligned left, the others right. */
export function tableLines(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((name, at) => Math.max(name.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    widths.map((width, at) => pad(cells[at] ?? '', width, at === 0)).join('  ');
  return [line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)];
}

function pad(text: string, width: number, left: boolean): string {
  return left ? text.padEnd(width) : text.padStart(width);
}

const DIGITS_SHOWN = 3;

/** A number for people: about three significant digits, with thousands separators. */
export function readable(value: number): string {
  const whole = Math.floor(Math.abs(value)).toString().length;
  const digits = Math.abs(value) >= 1 ? Math.max(0, DIGITS_SHOWN - whole) : DIGITS_SHOWN;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
