import { join } from 'node:path';
import { Looks } from '../../process/look.ts';
import { readMounts } from '../kernel/mountinfo.ts';
import { optionalLine } from './mount-lines.ts';

/**
 * Whether instances see their own memory, processors and uptime: `on`, or why not: `off` (by the settings), `absent`
 * (lxcfs is not mounted), `failed` (it does not answer, or it has died).
 */
export type LxcfsState = 'on' | 'off' | 'absent' | 'failed';

/** The value of the setting that switches it off. */
const OFF = 'off';

/**
 * lxcfs answers within a millisecond, but a busy host may take seconds to run the program that asks. A start waits
 * this long, and then does without lxcfs.
 */
const ANSWER_MS = 5_000;

/** Clients ask for the state with each of their commands: they wait for less, and less often. */
const SHOWN_ANSWER_MS = 2_000;
const SHOWN_FOR_MS = 10_000;

/** The files below /proc that it has; those that its version does not have are left out. */
const PROC_FILES = 'cpuinfo diskstats loadavg meminfo slabinfo stat swaps uptime'.split(' ');
const PROCESSORS = '/sys/devices/system/cpu';

/**
 * A file that lxcfs does not have. The kernel asks lxcfs for it each time; what it knows of files that exist it keeps
 * for a second, and would answer for an lxcfs that hangs.
 */
const NO_FILE = 'proc/porthole-asks';

/**
 * The host's lxcfs, a file system in user space (FUSE) that answers each instance with its own figures. It may hang,
 * so only children with a limit of time look at its files; whether it is mounted is asked of the kernel.
 */
export class Lxcfs {
  readonly #folder: string;
  readonly #looks: Looks;
  readonly #looksForShow: Looks;
  #shown: { readonly answers: Promise<boolean>; readonly at: number } | undefined;

  /** @param folder its mount point, or `off` */
  constructor(folder: string, answerMs = ANSWER_MS) {
    this.#folder = folder;
    this.#looks = new Looks(answerMs);
    this.#looksForShow = new Looks(Math.min(answerMs, SHOWN_ANSWER_MS));
  }

  /** The state for people; whether lxcfs answers was seen some seconds ago at most. */
  state(): Promise<LxcfsState> {
    return this.#stateBy(() => {
      const now = performance.now();
      if (!this.#shown || now - this.#shown.at > SHOWN_FOR_MS)
        this.#shown = { answers: this.#answers(this.#looksForShow), at: now };
      return this.#shown.answers;
    });
  }

  /** LXC's lines that mount its files in an instance that starts now; none when it is not `on`. */
  async mountLines(): Promise<{ readonly state: LxcfsState; readonly lines: readonly string[] }> {
    const state = await this.#stateBy(() => this.#answers(this.#looks));
    if (state !== 'on') return { state, lines: [] };
    // Old versions have only one of the folder's files, and would hide the others.
    const processors = (await this.#has(`${PROCESSORS}/uevent`)) ? PROCESSORS : `${PROCESSORS}/online`;
    const targets = [...PROC_FILES.map((name) => `/proc/${name}`), processors];
    const lines = targets.map((target) => optionalLine(join(this.#folder, target), target, ['bind']));
    return { state, lines };
  }

  async #stateBy(answers: () => Promise<boolean>): Promise<LxcfsState> {
    if (this.#folder === OFF) return 'off';
    const mounts = (await readMounts('self')) ?? [];
    if (!mounts.some(({ point }) => point === this.#folder)) return 'absent';
    return (await answers()) ? 'on' : 'failed';
  }

  async #answers(looks: Looks): Promise<boolean> {
    const asked = await Promise.all([this.#has('proc/meminfo', looks), this.#asked(NO_FILE, looks)]);
    return asked.every(Boolean);
  }

  #has(path: string, looks = this.#looks): Promise<boolean> {
    return looks.at(join(this.#folder, path)).then(
      (found) => found !== null,
      () => false,
    );
  }

  /** Whether there was an answer, whatever it is. */
  #asked(path: string, looks: Looks): Promise<boolean> {
    return looks.at(join(this.#folder, path)).then(
      () => true,
      () => false,
    );
  }
}
