import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { abandon } from './ending.ts';

export interface HelperOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The helper is killed (SIGKILL) if one answer takes longer. */
  readonly answerMs: number;
  /** The helper is ended after this time without a question. */
  readonly idleMs: number;
}

/** With so many hung programs, killed but not ended, a helper starts no more. */
const HUNG_MAX = 4;

interface Question {
  readonly line: string;
  readonly answer: (line: string | null) => void;
}

/**
 * A program that answers each line of its standard input with a line, in order, and ends at the end of its
 * input. It is started for the first question. If it hangs or ends at a question, only that question has no
 * answer: a new program is asked the later ones again.
 */
export class Helper {
  readonly #options: HelperOptions;
  #child: ChildProcess | null = null;
  /** Questions without an answer, the oldest first. */
  readonly #questions: Question[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** The number of programs that were killed and have not ended. */
  #hung = 0;

  constructor(options: HelperOptions) {
    this.#options = options;
  }

  /** @returns the line that answers `line`; null if there is no answer */
  ask(line: string): Promise<string | null> {
    return new Promise((answer) => {
      this.#questions.push({ line, answer });
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
    // Not at 'exit': answers from before it may not be read yet.
    for (const event of ['error', 'close'] as const)
      child.on(event, () => this.#child === child && this.#giveUp());
    onLine(child.stdout, (line) => this.#child === child && this.#answered(line));
    for (const { line } of this.#questions) child.stdin.write(`${line}\n`);
  }

  #answered(line: string): void {
    this.#questions.shift()?.answer(line);
    this.#watch();
  }

  /** Answers the oldest question with null and asks the others again. */
  #giveUp(): void {
    this.#letGo();
    this.#questions.shift()?.answer(null);
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
