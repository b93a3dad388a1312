import { hasControl } from '../../core/texts.ts';
import { run } from '../../process/run.ts';
import { Looked } from './looked.ts';
import { type TarEntry, tarEntries } from './tar-entries.ts';

/** What to look at, as absolute paths. */
export interface Wanted {
  /** Links are not followed. */
  readonly files?: readonly string[];
  /** Only the folders themselves; links are followed. */
  readonly folders?: readonly string[];
  /** Folders with all that is in them. */
  readonly trees?: readonly string[];
}

/** Looks at paths. @throws Error if they do not answer */
export type Look = (wanted: Wanted) => Promise<Looked>;

/** A disk that works answers much faster, and the runtime waits during this time. */
const TIMEOUT_MS = 5_000;
/** Maximum number of programs at the same time, with those that do not end although they are killed. */
const AT_ONCE = 16;
/** The config of a container, and the list of all containers of a runtime, have 4 MiB each at most. */
const BYTES_MAX = 12 * 1024 * 1024;

/** The daemon's own user, which is root; tests run as any user. */
const ROOT = process.getuid?.() ?? 0;

/** The environment of the programs: without caches of names, and without variables that a user may have set. */
const ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };
const FORMAT = [
  ...['--create', '--file=-', '--format=gnu', '--absolute-names', '--numeric-owner', '--hard-dereference'],
  ...['--quoting-style=literal', '--no-recursion'],
];

/**
 * Looks at records of runtimes, on disks that may never answer. Each look is a run of GNU tar, which can be killed. tar
 * opens files without following links and without waiting at pipes. Its output has the owner and mode of the open file.
 * A run takes some milliseconds; a start of Node would take ten times as long.
 */
export class Looks {
  readonly #atOnce: number;
  #open = 0;

  constructor(atOnce = AT_ONCE) {
    this.#atOnce = atOnce;
  }

  /** Looks as root. Only files that root owns, and no other user can write, are trusted. */
  readonly asRoot: Look = (wanted) => this.#look(wanted, [], [ROOT]);

  /**
   * Looks with the rights of a user of the host, so that this user can read nothing more in this way. The real uid
   * stays root's, without any of its capabilities. So the user cannot trace the program and make it do something else.
   */
  asUser(uid: number): Look {
    const ids = ['--ruid=0', `--euid=${uid}`, '--regid=65534', '--clear-groups'];
    const rights = [...ids, '--inh-caps=-all', '--bounding-set=-all', '--'];
    return (wanted) => this.#look(wanted, ['setpriv', ...rights], [ROOT, uid]);
  }

  async #look(
    { files = [], folders = [], trees = [] }: Wanted,
    before: readonly string[],
    trusted: readonly number[],
  ): Promise<Looked> {
    const plain = [...files, ...folders.map((each) => `${each}/.`)].filter(isPath);
    const whole = trees.filter(isPath);
    if (plain.length + whole.length === 0) return new Looked(new Map(), new Set(), trusted);
    if (this.#open >= this.#atOnce) throw unanswered();
    const [command = '', ...args] = [...before, 'tar', ...FORMAT, ...plain, '--recursion', ...whole];
    this.#open++;
    const done = await run(command, args, {
      ...{ timeoutMs: TIMEOUT_MS, cwd: '/', env: ENVIRONMENT },
      ...{ encoding: 'latin1', outputBytesMax: BYTES_MAX },
    });
    void (done.stuck ?? Promise.resolve()).then(() => this.#open--);
    if (done.timedOut) throw unanswered();
    if (done.signal === 'SIGKILL') throw new Error('they are too large');
    // The exit code only says that a path is missing, which is normal here. Without a code, tar was not started.
    if (done.code === null) throw new Error(done.failure);
    return new Looked(byName(done.stdout), missingIn(done.stderr), trusted);
  }
}

function unanswered(): Error {
  return new Error('the disk with the records of the container does not answer');
}

/** Other texts cannot be paths of records, so they count as not found. */
function isPath(path: string): boolean {
  return path.startsWith('/') && !hasControl(path);
}

function byName(latin1: string): ReadonlyMap<string, TarEntry> {
  const found = new Map<string, TarEntry>();
  for (const entry of tarEntries(Buffer.from(latin1, 'latin1'))) found.set(entry.name, entry);
  return found;
}

function missingIn(latin1: string): ReadonlySet<string> {
  const text = Buffer.from(latin1, 'latin1').toString();
  const lines = text.matchAll(/^tar: (\/.*): Cannot stat: No such file or directory$/gm);
  return new Set(Array.from(lines, ([, path]) => path as string));
}
