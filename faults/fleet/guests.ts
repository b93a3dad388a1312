import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ChangeEnd, ChangeTry, GuestLine, GuestLog, GuestRead } from '../check/fleet/record.ts';
import { nowMs } from './time.ts';

const PROGRAM = fileURLToPath(new URL('./programs/guests.pl', import.meta.url));

interface Seen extends GuestLog {
  readonly lines: GuestLine[];
  readonly reads: GuestRead[];
}

/** The guests of one member, and what they say. */
export class Guests {
  /** By number, the host pid. */
  readonly pids = new Map<number, number>();
  readonly listening = new Set<number>();
  readonly resting = new Set<number>();
  readonly changes: ChangeTry[] = [];
  readonly #seen = new Map<number, Seen>();
  readonly #member: string;
  readonly #child: ChildProcess;
  readonly #made = Promise.withResolvers<void>();

  /** @param socket of the guest API @param first the number of the first guest */
  constructor(
    member: string,
    socket: string,
    { first, count, firstUid, seed }: { first: number; count: number; firstUid: number; seed: number },
  ) {
    this.#member = member;
    const args = [PROGRAM, socket, ...[first, count, firstUid, seed].map(String)];
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', 'perl', ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child.on('exit', (code) => this.#made.reject(new Error(`guests.pl ended with ${code}`)));
    this.#made.promise.catch(() => {});
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on('line', (line) =>
      this.#read(line),
    );
  }

  get logs(): readonly GuestLog[] {
    return [...this.#seen.values()];
  }

  /** Resolves when all of them exist. */
  made(): Promise<void> {
    return this.#made.promise;
  }

  /** Lets them read and write keys. */
  ask(): void {
    this.#child.stdin?.write('ask\n');
  }

  /** They only listen from now on. */
  rest(): void {
    this.#child.stdin?.write('rest\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await exited;
  }

  #read(line: string): void {
    const [first = '', word = '', ...rest] = line.split(' ');
    if (first === 'all') this.#made.resolve();
    else if (first === 'made') {
      this.pids.set(Number(word), Number(rest[0]));
      const parts = { instance: instanceOf(Number(word)), member: this.#member };
      this.#seen.set(Number(word), { ...parts, lines: [], reads: [] });
    } else this.#hear(Number(first), word, rest);
  }

  #hear(number: number, word: string, rest: readonly string[]): void {
    if (word === 'listening') this.listening.add(number);
    else if (word === 'rests') this.resting.add(number);
    else if (word === 'read') this.#seen.get(number)?.reads.push(readOf(rest));
    else if (word === 'wrote') this.changes.push(changeOf(instanceOf(number), this.#member, rest));
    else
      this.#seen
        .get(number)
        ?.lines.push({ at: nowMs(), kind: word as GuestLine['kind'], text: rest.join(' ') });
  }
}

/** The instance of a guest. */
export function instanceOf(number: number): string {
  return `g${number}`;
}

function readOf([key = '', begin, end, status = '', ...text]: readonly string[]): GuestRead {
  return { key, begin: Number(begin), end: Number(end), status, text: text.join(' ') };
}

function changeOf(
  instance: string,
  member: string,
  [mark = '', begin, end, status = '', ...words]: readonly string[],
): ChangeTry {
  const text = words.join(' ');
  return {
    ...{ mark, by: 'guest', member, object: `instances/${instance}`, kind: 'put', unconfirmed: [] },
    ...{
      begin: Number(begin),
      end: Number(end),
      outcome: outcomeOf(status, text),
      text: `${status} ${text}`,
    },
    ...(status === '503' && { text }),
  };
}

/** Without an answer it is not known whether a write was made. */
function outcomeOf(status: string, text: string): ChangeEnd {
  if (status === '200') return 'done';
  if (status === '503' && text.startsWith('This host is cut off from its fleet')) return 'cut off';
  if (status === '429' || status === 'unreachable') return 'refused';
  return 'unknown';
}
