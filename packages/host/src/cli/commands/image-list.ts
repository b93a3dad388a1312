import type { Command } from 'commander';
import { own } from '../../core/records.ts';
import type { ImageJson } from '../../wire/image.ts';
import { formatOption } from '../format-option.ts';
import { addExamples } from '../help.ts';
import type { Open } from '../session.ts';
import type { Format } from '../tables.ts';
import { printListing } from '../tables.ts';
import { compareNames, formatBytes, formatTime, yesNo } from '../text.ts';
import { UsageError } from '../usage-error.ts';

interface ImageColumn {
  readonly header: string;
  cell(image: ImageJson): string;
}

const FINGERPRINT_SHORT = 12;

/** The letters of LXD's client. */
const COLUMNS: Readonly<Record<string, ImageColumn>> = {
  l: { header: 'ALIAS', cell: shortAlias },
  L: { header: 'ALIASES', cell: (it) => it.aliases.map((alias) => alias.name).join('\n') },
  f: { header: 'FINGERPRINT', cell: (it) => it.fingerprint.slice(0, FINGERPRINT_SHORT) },
  F: { header: 'FINGERPRINT', cell: (it) => it.fingerprint },
  p: { header: 'PUBLIC', cell: (it) => yesNo(it.public) },
  d: { header: 'DESCRIPTION', cell: (it) => it.properties['description'] ?? '' },
  a: { header: 'ARCHITECTURE', cell: (it) => it.architecture },
  s: { header: 'SIZE', cell: (it) => formatBytes(it.size) },
  u: { header: 'UPLOAD DATE', cell: (it) => formatTime(it.uploaded_at) },
  t: { header: 'TYPE', cell: (it) => it.type.toUpperCase() },
};

/** `image list`. */
export function addImageList(parent: Command, open: Open): void {
  const letters = Object.entries(COLUMNS).map(([letter, { header }]) => `  ${letter}  ${header}`);
  const command = parent
    .command('list')
    .alias('ls')
    .summary('list images')
    .description(
      `List images: all, or those that pass every filter. A filter is the beginning of an alias or fingerprint, or ` +
        `the type or a property as key=value.\n\nColumns are letters:\n${letters.join('\n')}`,
    )
    .argument('[filters...]')
    .option('-c, --columns <letters>', 'what to show', 'lfpdatsu')
    .addOption(formatOption());
  addExamples(command, [
    ['porthole image list', 'all images'],
    ['porthole image list os=debian -f json', 'by property, for programs'],
  ]);
  command.action(async (filters: readonly string[], options: { columns: string; format: Format }) => {
    const columns = parseColumns(options.columns);
    const session = open(command);
    const images = await session.client.get<readonly ImageJson[]>('/1.0/images?recursion=1');
    const chosen = images
      .filter((image) => filters.every((filter) => passes(image, filter)))
      .sort(
        (a, b) => compareNames(shortAlias(a), shortAlias(b)) || compareNames(a.fingerprint, b.fingerprint),
      );
    await printListing(session, options.format, {
      headers: columns.map((column) => column.header),
      rows: chosen.map((image) => columns.map((column) => column.cell(image))),
      objects: chosen,
    });
  });
}

function parseColumns(text: string): readonly ImageColumn[] {
  return [...text.replaceAll(',', '')].map((letter) => {
    const column = Object.hasOwn(COLUMNS, letter) ? COLUMNS[letter] : undefined;
    if (!column) throw new UsageError(`Unknown column "${letter}" in "${text}"`);
    return column;
  });
}

function passes(image: ImageJson, filter: string): boolean {
  const at = filter.indexOf('=');
  if (at === -1) {
    return image.fingerprint.startsWith(filter) || image.aliases.some(({ name }) => name.startsWith(filter));
  }
  const [key, value] = [filter.slice(0, at), filter.slice(at + 1)];
  const found = key === 'type' ? image.type : (own(image.properties, key) ?? '');
  return found.toLowerCase() === value.toLowerCase();
}

/** The shortest alias, and how many more there are. */
function shortAlias(image: ImageJson): string {
  const names = image.aliases.map((alias) => alias.name).sort((a, b) => a.length - b.length);
  const more = names.length > 1 ? ` (${names.length - 1} more)` : '';
  return (names[0] ?? '') + more;
}
