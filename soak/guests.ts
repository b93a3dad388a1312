import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Tally } from './tally.ts';

/** How the guests of one program are made. */
export interface GuestsOptions {
  /** A copy of `programs/guests.pl` that all users can read. */
  readonly program: string;
  readonly socket: string;
  /** Time between two requests of one guest. */
  readonly seconds: number;
  readonly seed: number;
  /** Number of the first guest. */
  readonly first: number;
  readonly count: number;
  /** Host pid of the init whose namespaces they enter, or host uid of the first when they make their own. */
  readonly place: { readonly init: number } | { readonly firstUid: number };
}

export type Stage = 'listen' | 'load' | 'rest' | 'leave';

/** How long all guests of a program may need for a stage, on a busy machine. */
const STAGE_MS = 60_000;

/** Guests that run in one program, `programs/guests.pl`. */
export class Guests implements AsyncDisposable {
  /** Host pids of those with namespaces of their own. */
  readonly pids: number[] = [];
  readonly #count: number;
  readonly #child: ChildProcess;
  readonly #tally: Tally;
  #arrived = { listening: 0, left: 0 };
  #wake = () => {};

  constructor(options: GuestsOptions, tally: Tally) {
    this.#count = options.count;
    this.#tally = tally;
    const [command, ...args] = commandOf(options);
    // A group of its own, so that Ctrl-C does not end it before the soak ends.
    this.#child = spawn(command as string, args, {
      cwd: '/',
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: true,
    });
    this.#child.stdin?.on('error', () => {});
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on('line', (line) =>
      this.#read(line.split(' ')),
    );
  }

  /** Waits until all guests with namespaces of their own exist. */
  made(): Promise<void> {
    return this.#until('made', () => this.pids.length === this.#count);
  }

  /** Takes all guests to a stage, and waits until they have reached it, where they report that. */
  async to(stage: Stage): Promise<void> {
    this.#child.stdin?.write(`${stage}\n`);
    if (stage === 'listen') await this.#until(stage, () => this.#arrived.listening === this.#count);
    if (stage === 'leave') await this.#until(stage, () => this.#arrived.left === this.#count);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await exited;
  }

  async #until(what: string, holds: () => boolean): Promise<void> {
    const timeout = AbortSignal.timeout(STAGE_MS);
    while (!holds()) {
      if (timeout.aborted) throw new Error(`the guests did not come to: ${what}`);
      if (this.#child.exitCode !== null) throw new Error(`the guests have ended before: ${what}`);
      const more = Promise.withResolvers<void>();
      this.#wake = more.resolve;
      timeout.addEventListener('abort', more.resolve as () => void, { once: true });
      this.#child.once('exit', more.resolve as () => void);
      await more.promise;
      timeout.removeEventListener('abort', more.resolve as () => void);
      this.#child.off('exit', more.resolve as () => void);
    }
  }

  #read([first = '', what = '', ...rest]: readonly string[]): void {
    if (first === 'made') this.pids.push(Number(rest[0]));
    else if (what === 'listening' || what === 'left') this.#arrived[what]++;
    else this.#tally.guestSaid(Number(first), [what, ...rest]);
    this.#wake();
  }
}

function commandOf({ program, socket, seconds, seed, first, count, place }: GuestsOptions): string[] {
  const command = ['perl', program, socket, `${seconds}`, `${seed}`, `${first}`, `${count}`];
  if ('firstUid' in place) return [...command, `${place.firstUid}`];
  return ['nsenter', '-t', `${place.init}`, '-U', '-p', '-S', '0', '-G', '0', '--', ...command];
}
