import { type Finished, run } from './run.ts';

/** The file at a path of the host. */
export interface Found {
  readonly isFolder: boolean;
  readonly isBlockDevice: boolean;
  /** Major and minor number of a character device; null for other files. */
  readonly character: { readonly major: number; readonly minor: number } | null;
  /** Device and inode together identify a file. */
  readonly device: bigint;
  readonly inode: bigint;
}

/** A path may lead to a file system that does not answer, such as a dead NFS or FUSE mount. */
const TIMEOUT_MS = 10_000;

/** Children that may hang at one path; with so many, later requests for the path fail at once. */
const STUCK_PER_PATH_MAX = 2;
/** Children that may hang at all paths together. */
const STUCK_MAX = 64;

const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;

/** Raw mode, device, inode, and the numbers of a device node, in the formats of stat(1). */
const FORMAT = '%f %d %i %t %T';

const NOTHING_THERE = /: (No such file or directory|Not a directory)$/;

/** Looks at paths of operators in child processes: no thread of the daemon waits for a file system. */
export class Looks {
  readonly #timeoutMs: number;
  /** Requests for a path that is being looked at share one answer. */
  readonly #running = new Map<string, Promise<Found | null>>();
  readonly #stuck = new Map<string, number>();
  #stuckTotal = 0;

  constructor(timeoutMs = TIMEOUT_MS) {
    this.#timeoutMs = timeoutMs;
  }

  /** The file at a path, links followed; null if there is none. @throws Error on failure or timeout */
  at(path: string): Promise<Found | null> {
    const running = this.#running.get(path) ?? this.#look(path).finally(() => this.#running.delete(path));
    this.#running.set(path, running);
    return running;
  }

  /** Whether the path is a folder and contains no link. @throws Error if it does not answer */
  async isPlainFolder(path: string): Promise<boolean> {
    const { ok, stdout } = await this.#ask(path, 'sh', ['-c', 'cd -P -- "$0" && pwd -P', path]);
    return ok && stdout === `${path}\n`;
  }

  async #look(path: string): Promise<Found | null> {
    const looked = await this.#ask(path, 'stat', ['--dereference', `--printf=${FORMAT}`, '--', path]);
    if (looked.ok) return parse(looked.stdout);
    if (NOTHING_THERE.test(looked.stderr.trim())) return null;
    throw new Error(reasonOf(looked));
  }

  /** Runs a program that looks at the path. */
  async #ask(path: string, command: string, args: readonly string[]): Promise<Finished> {
    if ((this.#stuck.get(path) ?? 0) >= STUCK_PER_PATH_MAX || this.#stuckTotal >= STUCK_MAX) throw dead(path);
    const asked = await run(command, args, {
      timeoutMs: this.#timeoutMs,
      cwd: '/',
      env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' },
    });
    if (asked.stuck) this.#note(path, asked.stuck);
    if (asked.timedOut) throw dead(path);
    return asked;
  }

  #note(path: string, stuck: Promise<void>): void {
    this.#count(path, 1);
    void stuck.then(() => this.#count(path, -1));
  }

  #count(path: string, more: 1 | -1): void {
    this.#stuckTotal += more;
    const count = (this.#stuck.get(path) ?? 0) + more;
    if (count > 0) this.#stuck.set(path, count);
    else this.#stuck.delete(path);
  }
}

function dead(path: string): Error {
  return new Error(`The source path does not answer: ${path}`);
}

function reasonOf({ stderr, failure }: Finished): string {
  return stderr.trim().replace(/^stat: /, '') || failure;
}

function parse(text: string): Found {
  const [mode = '', device = '', inode = '', major = '', minor = ''] = text.split(' ');
  const type = Number.parseInt(mode, 16) & S_IFMT;
  const numbers = { major: Number.parseInt(major, 16), minor: Number.parseInt(minor, 16) };
  return {
    isFolder: type === S_IFDIR,
    isBlockDevice: type === S_IFBLK,
    character: type === S_IFCHR ? numbers : null,
    device: BigInt(device),
    inode: BigInt(inode),
  };
}
