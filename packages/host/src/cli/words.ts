import type { Command } from 'commander';
import { locate } from './locate.ts';
import { UsageError } from './usage-error.ts';

/** Words of other programs for a command of porthole; the rest of the line stays as it is. */
export const SYNONYMS: Readonly<Record<string, readonly string[]>> = {
  ps: ['list'],
  images: ['image', 'list'],
  events: ['monitor'],
};

/** Words of other programs for what porthole does in another way, or does not do. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  run: '`launch IMAGE NAME` makes and starts an instance, `exec NAME COMMAND` runs a command in it',
  create: '`init IMAGE NAME` makes an instance, `launch IMAGE NAME` starts it, too',
  attach: '`console NAME` attaches to the console, `shell NAME` opens a shell',
  login: '`shell NAME --user USER` opens a login shell',
  ssh: '`shell NAME` opens a shell',
  top: '`list -c nsumDN` shows what instances use, `info NAME` all of one',
  stats: '`list -c nsumDN` shows what instances use, `info NAME` all of one',
  pull: '`image import FILE` imports an image, `file pull NAME/PATH TARGET` copies files',
  push: '`file push SOURCE NAME/PATH` copies files',
  build: '`image build busybox` makes a small image',
  import: '`image import FILE` imports an image; there are no backups of instances',
  export: '`image export IMAGE` saves an image; there are no backups of instances',
  copy: 'instances cannot be copied; `profile copy` copies a profile, `cp` copies files',
  move: '`rename NAME NEW-NAME` renames an instance',
  snapshot: 'there are no snapshots',
  restore: 'there are no snapshots',
  publish: 'images are not made of instances: see `image import` and `image build`',
  network: 'there are no networks: give a nic the bridge that you made as its parent',
  storage: 'there are no storage pools: instances live in the state directory',
  remote: 'there is one daemon, that of --state-dir',
  unfreeze: '`start NAME` lets a paused instance go on',
  unpause: '`start NAME` lets a paused instance go on',
  freeze: '`pause NAME` stops the processes until `start NAME`',
};

/** What ends, deletes or takes something away is never proposed for a mistyped word. */
const NEVER_PROPOSED = /^(delete|disable|kill|stop|restart|pause|remove|unset|rm)/;

/** The words with a word of another program replaced by porthole's own. */
export function withoutSynonym(program: Command, words: readonly string[]): readonly string[] {
  const { command, before, indexes } = locate(program, words);
  const at = command === program && before[0] === 'help' ? 1 : 0;
  const index = command === program ? indexes[at] : undefined;
  const own = Object.hasOwn(SYNONYMS, before[at] ?? '') ? SYNONYMS[before[at] ?? ''] : undefined;
  return index === undefined || !own ? words : words.toSpliced(index, 1, ...own);
}

/**
 * The words as porthole's own commands take them.
 * @throws UsageError for a word that is no command, with the command that was meant if that is clear
 */
export function understand(program: Command, given: readonly string[]): readonly string[] {
  const words = withoutSynonym(program, given);
  const { command, before } = locate(program, words);
  const [word] = before;
  if (command.commands.length > 0 && word !== undefined && word !== 'help') refuse(program, command, word);
  return withDashes(program, words);
}

function refuse(program: Command, command: Command, word: string): never {
  const elsewhere = command === program && Object.hasOwn(ELSEWHERE, word) ? ELSEWHERE[word] : undefined;
  if (elsewhere) throw new UsageError(`porthole has no command "${word}": ${elsewhere}`);
  const near = nearest(word, command);
  throw new UsageError(`unknown command '${word}'${near ? `. Did you mean ${near}?` : ''}`);
}

/** Whatever comes after the first word of a command for an instance belongs to that command. */
function withDashes(program: Command, words: readonly string[]): readonly string[] {
  const { command, indexes } = locate(program, words);
  const at = indexes[1];
  if (command.name() !== 'exec' || at === undefined || words.slice(0, at).includes('--')) return words;
  return words.toSpliced(at, 0, '--');
}

/** More wrong letters than this, or than a third of the word, are another word. */
const WRONG_LETTERS_MAX = 2;

function nearest(word: string, command: Command): string | undefined {
  const names = command
    .createHelp()
    .visibleCommands(command)
    .map((one) => one.name())
    .concat(command.parent ? [] : Object.keys(SYNONYMS))
    .filter((name) => !NEVER_PROPOSED.test(name));
  const most = Math.min(WRONG_LETTERS_MAX, Math.ceil(word.length / 3));
  const rated = names.map((name) => ({ name, wrong: distance(word, name) }));
  return rated.filter(({ wrong }) => wrong <= most).sort((a, b) => a.wrong - b.wrong)[0]?.name;
}

/** Letters that are missing, too many, other ones, or swapped with the next. */
function distance(one: string, other: string): number {
  const rows = [Array.from({ length: other.length + 1 }, (_, at) => at)];
  for (let i = 1; i <= one.length; i++) {
    const [row, above, farAbove] = [[i], rows[i - 1] as number[], rows[i - 2]];
    for (let j = 1; j <= other.length; j++) {
      const same = one[i - 1] === other[j - 1];
      const swapped = farAbove && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      const costs = [
        (above[j] as number) + 1,
        (row[j - 1] as number) + 1,
        (above[j - 1] as number) + (same ? 0 : 1),
        ...(swapped ? [(farAbove[j - 2] as number) + 1] : []),
      ];
      row.push(Math.min(...costs));
    }
    rows.push(row);
  }
  return rows.at(-1)?.at(-1) ?? 0;
}
