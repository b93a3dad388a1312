import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { abandon } from './ending.ts';

export interface HelperOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The helper is killed (SIGKILL) if one answer, or its start, takes longer. */
  readonly answerMs: number;
  /** If the helper hangs at a question, the others that have waited for so long have no answer either. */
  readonly waitMs: number;
  /** The helper is ended after this time without a question. */
  readonly idleMs: number;
}

/** With so many hung programs, killed but not ended, a helper starts no more. */
const HUNG_MAX = 4;

/** How long no program is started after one that could not be used. */
const REST_MS = 30_000;

interface Question {
  readonly line: string;
  /** In milliseconds of performance.now(). */
  readonly askedAt: number;
  readonly answer: (line: string | null) => void;
}

/**
 * A program that prints a line when it is ready, then answers each line of its standard input with a line, in
 * order, and ends at the end of its input. It is started for the first question. If it hangs or ends at a question,
 * only that question has no answer: a new program is asked the later ones again, unless they have waited for too long.
 * If it does not get ready, no question of the next half minute has an answer: each would wait in vain for as long.
 */
export class Helper {
  readonly #options: HelperOptions;
  #child: ChildProcess | null = null;
  /** Questions without an answer, the oldest first. */
  readonly #questions: Question[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** Whether the program has printed its first line. */
  #isReady = false;
  /** No program is started before this time, in milliseconds of performance.now(). */
  #restUntil = 0;
  /** The number of programs that were killed and have not ended. */
  #hung = 0;

  constructor(options: HelperOptions) {
    this.#options = options;
  }

  /** @returns the line that answers `line`; null if there is no answer */
  ask(line: string): Promise<string | null> {
    if (!this.#child && performance.now() < this.#restUntil) return Promise.resolve(null);
    return new Promise((answer) => {
      this.#questions.push({ line, askedAt: performance.now(), answer });
      if (this.#child) this.#child.stdin?.write(`${line}\n`);
      else this.#start();
      if (this.#questions.length === 1) this.#watch();
    });
  }

  /** Ends the program. Waiting questions are answered with null. */
  stop(): void {
    const waiting = this.#questions.splice(0);
    this.#letGo();
    for (const { answer } of waiting) answer(null);
  }

  #start(): void {
    const child = this.#hung < HUNG_MAX ? startProgram(this.#options) : null;
    if (!child) {
      this.stop();
      return;
    }
    this.#child = child;
    this.#isReady = false;
    // Not at 'exit': answers from before it may not be read yet.
    for (const event of ['error', 'close'] as const)
      child.on(event, () => this.#child === child && this.#giveUp());
    onLine(child.stdout, (line) => this.#child === child && this.#answered(line));
    for (const { line } of this.#questions) child.stdin.write(`${line}\n`);
  }

  #answered(line: string): void {
    if (this.#isReady) this.#questions.shift()?.answer(line);
    this.#isReady = true;
    this.#watch();
  }

  /** Answers the oldest and the late ones with null, and asks the others again; all with null if it is of no use. */
  #giveUp(): void {
    if (!this.#isReady) {
      this.#restUntil = performance.now() + REST_MS;
      this.stop();
      return;
    }
    this.#letGo();
    const late = performance.now() - this.#options.waitMs;
    do this.#questions.shift()?.answer(null);
    while ((this.#questions[0]?.askedAt ?? late) < late);
    if (this.#questions.length > 0) this.#start();
    this.#watch();
  }

  #watch(): void {
    clearTimeout(this.#timer);
    if (!this.#child) return;
    const { answerMs, idleMs } = this.#options;
    this.#timer =
      this.#questions.length > 0
        ? setTimeout(() => this.#giveUp(), answerMs)
        : setTimeout(() => this.#letGo(), idleMs);
    this.#timer.unref();
  }

  #letGo(): void {
    clearTimeout(this.#timer);
    const child = this.#child;
    this.#child = null;
    if (!child) return;
    child.kill('SIGKILL');
    this.#hung++;
    void abandon(child).then(() => this.#hung--);
  }
}

/** @returns null if the host has no room for it, such as no free descriptors */
function startProgram({
  command,
  args,
  env,
}: HelperOptions): ChildProcessByStdio<Writable, Readable, null> | null {
  try {
    const child = spawn(command, args, { cwd: '/', env: { ...env }, stdio: ['pipe', 'pipe', 'ignore'] });
    child.on('error', () => {});
    if (!child.stdin || !child.stdout) return null;
    child.stdin.on('error', () => {});
    return child;
  } catch {
    return null;
  }
}

/** Lines end with a line feed only: node:readline also ends them at characters that a guest can put into names. */
function onLine(stream: Readable, take: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  });
}
