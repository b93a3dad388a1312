/** Where and when a manual page belongs. */
export interface Page {
  readonly name: string;
  readonly section: 1 | 8;
  /** Such as 2026-11-28. */
  readonly day: string;
  readonly version: string;
  readonly summary: string;
  readonly sections: readonly Section[];
}

/** A heading, and its content as lines of man(7). */
export type Section = readonly [heading: string, lines: readonly string[]];

/** The text of a manual page. */
export function manText({ name, section, day, version, summary, sections }: Page): string {
  const head = `.TH ${name.toUpperCase()} ${section} "${day}" "Porthole ${version}" "Porthole"`;
  const body = sections
    .filter(([, lines]) => lines.length > 0)
    .flatMap(([heading, lines]) => [`.SH ${heading}`, ...lines]);
  return `${[head, '.SH NAME', `${escaped(name)} \\- ${escaped(summary)}`, ...body].join('\n')}\n`;
}

/** Escapes a text, so that roff takes no part of it as a request. */
export function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replace(/^\./gm, '\\&.');
}

/** Text that roff fills. Empty lines separate paragraphs. */
export function paragraphs(text: string): string[] {
  return text
    .trim()
    .split('\n')
    .map((line) => (line.trim() === '' ? '.PP' : escaped(line.trim())));
}

/** A term in bold and its text below it. */
export function tagged(term: string, text: string): string[] {
  return ['.TP', `.B ${escaped(term)}`, ...(text ? paragraphs(text) : ['\\&'])];
}

/** Lines that keep their form. */
export function literal(text: string): string[] {
  return [
    '.nf',
    ...text
      .replace(/^\n+|\n+$/g, '')
      .split('\n')
      .map(escaped),
    '.fi',
  ];
}

/** Other pages, such as porthole(1). */
export function seeAlso(pages: readonly (readonly [name: string, section: number])[]): string[] {
  return pages.map(
    ([name, section], index) => `.BR ${escaped(name)} (${section})${index < pages.length - 1 ? ' ,' : ''}`,
  );
}
