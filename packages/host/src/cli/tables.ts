import { escapeQuoted, printable } from '../base/printable.ts';
import { drawTable } from './drawn-table.ts';
import type { Session } from './session.ts';
import { NOT_IN_YAML, needsQuotes } from './yaml-quotes.ts';

/** How lists can be printed. */
export const FORMATS = ['table', 'csv', 'json', 'yaml', 'compact'] as const;
export type Format = (typeof FORMATS)[number];

/** The content of a list: cells for people, the objects themselves for programs. */
export interface Listing {
  readonly headers: readonly string[];
  /** A cell may have several lines. */
  readonly rows: readonly (readonly string[])[];
  readonly objects: readonly unknown[];
}

/** Renders a list in a format; without a final line end, empty when there is nothing to print. */
export async function renderListing(format: Format, listing: Listing): Promise<string> {
  return RENDERERS[format](listing);
}

/** Prints a list in a format, unless that gives an empty text. CSV is for programs: cells stay unchanged. */
export async function printListing(session: Session, format: Format, listing: Listing): Promise<void> {
  const text = await renderListing(format, listing);
  if (text === '') return;
  if (format === 'csv') session.data(text);
  else session.print(text);
}

const RENDERERS: Readonly<Record<Format, (listing: Listing) => string | Promise<string>>> = {
  table: ({ headers, rows }) =>
    drawTable(
      headers,
      rows.map((row) => row.map(cellText)),
    ),
  csv: ({ rows }) => rows.map((row) => row.map(csvCell).join(',')).join('\n'),
  json: ({ objects }) => renderJson(objects),
  yaml: ({ objects }) => renderYaml(objects),
  compact: ({ headers, rows }) => renderCompact(headers, rows),
};

/** JSON of exactly this value, in a form that is safe for a terminal even if a guest has chosen the value. */
export function renderJson(value: unknown, indent = 2): string {
  return escapeQuoted(JSON.stringify(value ?? null, null, indent));
}

/**
 * YAML as LXD's client prints it, without the final line end; safe for a terminal, like the JSON. Other programs
 * read the same texts, also those that know YAML 1.1 only.
 */
export async function renderYaml(value: unknown): Promise<string> {
  const { Document, Scalar, visit } = await import('yaml');
  const document = new Document(value);
  visit(document, {
    Scalar(_key, node) {
      if (typeof node.value === 'string' && needsQuotes(node.value)) node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  const text = document.toString({ indentSeq: false, lineWidth: 0 });
  return escapeQuoted(escapeQuoted(text), NOT_IN_YAML).replace(/\n$/, '');
}

/** A map with sorted keys, also in the maps inside it; LXD's client prints config and devices like this. */
export function sorted<T>(map: Readonly<Record<string, T>>): Record<string, T> {
  const entries = Object.entries(map).map(
    ([key, value]) => [key, isMap(value) ? sorted(value) : value] as const,
  );
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))) as Record<string, T>;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A cell may have several lines; a tab would shift the text after it. */
function cellText(text: string): string {
  return printable(text).replaceAll('\t', '?');
}

function csvCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const COMPACT_GAP = '  ';

function renderCompact(headers: readonly string[], rows: Listing['rows']): string {
  const lines = [headers, ...rows.flatMap((row) => splitRow(row.map(cellText)))];
  const widths = headers.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join(COMPACT_GAP)
        .trimEnd(),
    )
    .join('\n');
}

/** One line for each line of the tallest cell. */
function splitRow(row: readonly string[]): string[][] {
  const cells = row.map((cell) => cell.split('\n'));
  const height = Math.max(1, ...cells.map((cell) => cell.length));
  return Array.from({ length: height }, (_, line) => cells.map((cell) => cell[line] ?? ''));
}
