/** Texts that take one column of a terminal for each character. */
const ASCII = /^[\x20-\x7e]*$/;

type Cell = readonly string[];
type Align = (text: string, room: number) => string;

/** A table as LXD's client draws it. @param rows of cells, which may have several lines */
export async function drawTable(
  headers: readonly string[],
  rows: readonly (readonly string[])[],
): Promise<string> {
  const [head = [], ...body] = [headers, ...rows].map((row) => row.map((cell) => cell.split('\n')));
  const widthOf = await measureFor([head, ...body].flat(2));
  const widths = head.map((_, column) =>
    [head, ...body].reduce((most, row) => Math.max(most, ...(row[column] ?? []).map(widthOf)), 0),
  );
  const draw = (row: readonly Cell[], align: Align) =>
    linesOf(row).map((cells) => {
      const texts = cells.map((text, column) => align(text, (widths[column] ?? 0) - widthOf(text)));
      return `| ${texts.join(' | ')} |`;
    });
  const rule = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+`;
  return [rule, ...draw(head, centred), rule, ...body.flatMap((row) => [...draw(row, left), rule])].join(
    '\n',
  );
}

/** How wide a text is on a terminal. The library that knows takes long to load, and is rarely needed. */
async function measureFor(texts: readonly string[]): Promise<(text: string) => number> {
  if (texts.every((text) => ASCII.test(text))) return (text) => text.length;
  const { default: stringWidth } = await import('string-width');
  return stringWidth;
}

/** The cells of each line of a row, whose tallest cell says how many there are. */
function linesOf(row: readonly Cell[]): string[][] {
  const height = Math.max(...row.map((cell) => cell.length));
  return Array.from({ length: height }, (_, line) => row.map((cell) => cell[line] ?? ''));
}

function left(text: string, room: number): string {
  return text + ' '.repeat(room);
}

function centred(text: string, room: number): string {
  const before = Math.floor(room / 2);
  return ' '.repeat(before) + text + ' '.repeat(room - before);
}
