/** The texts in a box: a name, its purpose, and lines in smaller letters. */
export interface Words {
  readonly name: string;
  readonly note: string;
  readonly imports: readonly string[];
}

export interface Box extends Words {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly fill: string;
}

/** Largest width of a letter in any font, as a share of the font size. */
const LETTER = 0.55;
const TEXT_SIZE = 12;
const LINE_HEIGHT = 15;
const NAME_HEIGHT = 22;
const MARGIN = 7;

/** The height that a box of this width needs. */
export function heightOf(words: Words, width: number): number {
  const lines = linesIn(words.note, width).length + importLines(words, width).length;
  return NAME_HEIGHT + lines * LINE_HEIGHT + MARGIN;
}

/** A box as SVG: name and note at its top, imports at its bottom. */
export function boxSvg(box: Box): string {
  const left = box.x + MARGIN;
  const notes = linesIn(box.note, box.width);
  const imports = importLines(box, box.width);
  const bottom = box.y + box.height - MARGIN - 2 - (imports.length - 1) * LINE_HEIGHT;
  return [
    `<rect x="${box.x}" y="${box.y}" width="${box.width}" height="${box.height}" rx="5" fill="${box.fill}" class="room"/>`,
    textSvg(left, box.y + 18, box.name, 'name'),
    ...notes.map((line, index) => textSvg(left, box.y + 34 + index * LINE_HEIGHT, line, 'note')),
    ...imports.map((line, index) => textSvg(left, bottom + index * LINE_HEIGHT, line, 'imports')),
  ].join('\n');
}

function importLines(words: Words, width: number): string[] {
  return words.imports.flatMap((line) => linesIn(line, width));
}

/** Breaks a text into lines that fit into a box. */
export function linesIn(text: string, width: number): string[] {
  return wrapped(text, (width - 2 * MARGIN) / (TEXT_SIZE * LETTER));
}

/** A line of text as SVG. */
export function textSvg(x: number, y: number, text: string, kind: string): string {
  return `<text x="${x}" y="${y}" class="${kind}">${escaped(text)}</text>`;
}

function wrapped(text: string, letters: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= letters)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
