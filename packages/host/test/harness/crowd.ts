import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { until } from './api.ts';

const PROGRAM = fileURLToPath(new URL('../programs/crowd.pl', import.meta.url));

/** Default host uid of the first container's root: far from the uids of LXC's instances. */
const FIRST_UID = 400_000;

/** The facts about one container of a crowd. */
export interface Member {
  /** Host pid of its first process; 0 when it has ended. */
  pid: number;
  /** Status of its websocket's handshake; 0 when there was none. */
  status: number;
  /** Its answer to `GET /1.0/config/user.id`; null while there is none. */
  answer: string | null;
  /** Whether its event stream has ended. */
  closed: boolean;
  readonly events: string[];
}

/**
 * Many tiny containers, as another runtime would start them. Each is one process, the first of its own PID
 * and user namespaces. A thousand take half a second and some 400 MiB.
 */
export class Crowd {
  readonly members: Member[] = [];
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => this.#read(line));
  }

  /** Starts containers and waits until all of them exist. */
  static async make(count: number, firstUid = FIRST_UID): Promise<Crowd> {
    const child = spawn('perl', [PROGRAM, String(count), String(firstUid)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const crowd = new Crowd(child);
    const failed = once(child, 'exit').then(([code]) => {
      throw new Error(`crowd.pl ended with ${code}`);
    });
    await Promise.race([crowd.#made(count), failed]);
    failed.catch(() => {});
    return crowd;
  }

  /** Waits for all containers, as long as new ones keep coming. */
  async #made(count: number): Promise<void> {
    for (let before = 0; before < count; before = this.members.length)
      await until(`more than ${before} containers`, () => this.members.length > before, GROW_MS);
  }

  /** Host pid of the first process of one container. */
  pid(number = 0): number {
    return this.#member(number).pid;
  }

  /** Makes all of them connect at once: a websocket for events, and a request for `user.id`. */
  ask(socket: string): void {
    this.#child.stdin?.write(`ask ${socket}\n`);
  }

  /** Ends one container. */
  async end(number = 0): Promise<void> {
    this.#child.stdin?.write(`end ${number}\n`);
    await until(`container ${number} has ended`, () => this.#member(number).pid === 0);
  }

  /** Ends all containers. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await exited;
  }

  #member(number: number): Member {
    const member = this.members[number];
    if (!member) throw new Error(`there is no container ${number}`);
    return member;
  }

  #read(line: string): void {
    const [first = '', second = '', ...rest] = line.split(' ');
    if (first === 'made') {
      this.members.push({ pid: Number(rest[0]), status: 0, answer: null, closed: false, events: [] });
    } else if (first === 'ended') {
      this.#member(Number(second)).pid = 0;
    } else if (second === 'answer') {
      const [status, ...answer] = rest;
      Object.assign(this.#member(Number(first)), { status: Number(status), answer: answer.join(' ') });
    } else if (second === 'event') {
      this.#member(Number(first)).events.push(rest.join(' '));
    } else if (second === 'closed') {
      this.#member(Number(first)).closed = true;
    }
  }
}

/** Time limit for the next container, also on a busy machine. */
const GROW_MS = 20_000;
