import { access, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { guestApiBind, guestApiBinds, nspawnSettings } from '../base/nspawn-file.ts';
import { mountOf, type Place } from './edits.ts';
import { readText, removeFile, writeText } from './files.ts';
import type { Change, Setup } from './setup.ts';

const FOLDER = '/etc/systemd/nspawn';
/** Where systemd-nspawn looks for settings if `FOLDER` has no file for the machine. */
const OTHERS = ['/run/systemd/nspawn', '/var/lib/machines'];

const MADE =
  '# Made by `porthole setup nspawn`; `porthole setup nspawn --remove` takes these three lines out.';
const SECTION = '[Files]';
/** The folder of the guest API in a state directory. */
const OURS = 'devlxd';

/** The names that machined accepts. */
const NAME = /^(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** One machine of systemd-nspawn. The daemon reads the same file, and adopts the machine because of the mount in it. */
export const nspawn: Setup = {
  name: 'nspawn',
  title: 'systemd-nspawn',
  canRequire: false,
  isFollowed: true,
  about:
    'Writes the guest API mount into the settings of a machine of systemd-nspawn, and keeps all other settings. The ' +
    'machine becomes an instance at its next start. It must belong to root and be registered with systemd-machined, ' +
    'as machines usually are. Before you remove Porthole, remove this setup, because a machine does not start if the ' +
    'folder that it mounts does not exist.',
  argument: {
    name: 'machine',
    about: 'name of the machine, as `machinectl list` shows it',
    whyNot: (word) => (NAME.test(word) ? '' : `"${word}" is not a valid name of a machine`),
    fileOf: (word) => join(FOLDER, `${word}.nspawn`),
  },
  file: join(FOLDER, 'MACHINE.nspawn'),
  example: 'machinectl start web',
  async apply(place, file) {
    const text = await readText(file);
    if (text === null) await refuseHidden(file);
    else await refuseOthers(file);
    const change = await writeText(file, withMount(file, text ?? '', place));
    const machine = basename(file, '.nspawn');
    return { changes: [change], next: `machinectl start ${machine} (or machinectl reboot ${machine})` };
  },
  async remove(_place, file) {
    return { changes: [await takeOut(file)], next: '' };
  },
};

/** The settings with the mount. @throws Error if they mount another folder at `/dev/lxd` */
function withMount(file: string, text: string, place: Place): string {
  const { source } = mountOf(place);
  if (/[\n"'%]|\s$/.test(source)) throw new Error(`A .nspawn file cannot name the folder ${source}`);
  const binds = guestApiBinds(text);
  const foreign = binds.find((each) => basename(each.source) !== OURS);
  if (foreign)
    throw new Error(`${file} mounts ${foreign.source} at ${foreign.destination}, and was not changed`);
  if (binds.length === 1 && binds[0]?.source === source) return text;
  const rest = without(text);
  const gap = rest === '' ? '' : rest.endsWith('\n') ? '\n' : '\n\n';
  return `${rest}${gap}${MADE}\n${SECTION}\nBindReadOnly=${guestApiBind(source)}\n`;
}

async function takeOut(file: string): Promise<Change> {
  const text = await readText(file);
  const rest = without(text ?? '');
  if (text === null || rest === text) return { path: file, what: 'absent' };
  return rest.trim() === '' ? removeFile(file) : writeText(file, rest);
}

/** A text without the lines that a setup has written. */
function without(text: string): string {
  const lines = text.split('\n');
  const gone = new Set<number>();
  for (const { source, line, lines: count } of guestApiBinds(text)) {
    if (basename(source) !== OURS) continue;
    for (let each = line; each < line + count; each++) gone.add(each);
    if (lines[line - 2] !== MADE) continue;
    gone.add(line - 2);
    if (!isUsed(text, lines, line)) gone.add(line - 1);
    if (lines[line - 3] === '') gone.add(line - 3);
  }
  return lines.filter((_, at) => !gone.has(at)).join('\n');
}

/** Whether the section of a line has another setting after it. */
function isUsed(text: string, lines: readonly string[], line: number): boolean {
  const next = lines.findIndex((each, at) => at > line && each.trim().startsWith('['));
  const end = next < 0 ? lines.length : next;
  return nspawnSettings(text).some((each) => each.line > line && each.line < end);
}

/** @throws Error if a new file would hide one that systemd-nspawn reads now */
async function refuseHidden(file: string): Promise<void> {
  if (dirname(file) !== FOLDER) return;
  for (const folder of OTHERS) {
    const other = join(folder, basename(file));
    const isThere = await access(other).then(
      () => true,
      () => false,
    );
    if (isThere) throw new Error(`${file} would hide ${other}: move that file there first`);
  }
}

/** @throws Error if other users can write the file: the daemon ignores such a file */
async function refuseOthers(file: string): Promise<void> {
  const { uid, mode } = await stat(file);
  if (uid === process.getuid?.() && (mode & 0o022) === 0) return;
  throw new Error(`Only root may be able to write ${file}: chown root ${file} && chmod go-w ${file}`);
}
