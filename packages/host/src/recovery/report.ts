import { printableLine } from '../base/printable.ts';
import type { Recovery } from './recover.ts';

/** The plan of a recovery, as text for people. */
export function describePlan({ copy, items }: Recovery): string {
  const kinds = ['instance', 'profile', 'image', 'alias', 'folder', 'image files'] as const;
  const heads = ['', 'from the copy', 'from records', 'unknown'];
  const rows = kinds.map((kind) => {
    const of = (from: string) => items.filter((each) => each.what === kind && each.from === from).length;
    return [PLURALS[kind], ...['copy', 'record', 'nothing'].map((from) => String(of(from)))];
  });
  const notes = items.filter(({ note }) => note !== '');
  return [
    copy === null ? 'From the records, without a copy:' : `From the copy ${copy}:`,
    ...aligned([heads, ...rows]),
    ...notes.map(({ what, name, note }) => `${what} ${name}: ${note}`),
  ]
    .map(printableLine)
    .join('\n');
}

const PLURALS = {
  instance: 'instances',
  profile: 'profiles',
  image: 'images',
  alias: 'aliases',
  folder: 'folders of instances',
  'image files': 'folders of images',
} as const;

/** The plan of a recovery, or its result, as JSON for programs. */
export function recoveryJson({ copy, replaced, items, rebuilt }: Recovery, dryRun: boolean): string {
  const { directoryId, position } = rebuilt;
  return JSON.stringify(
    { copy, replaced, dry_run: dryRun, directory: directoryId, position, items },
    null,
    2,
  );
}

/** The result of a recovery, in a few sentences. */
export function describeEnd({ replaced }: Recovery, dryRun: boolean): string {
  if (dryRun) return 'Nothing was changed. To recover the database, run the same command without --dry-run.';
  const old = replaced === null ? '' : ` The old database is ${replaced}.`;
  return `The new database is in place.${old} Start the daemon: it finds the instances that run.`;
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
