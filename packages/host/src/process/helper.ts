import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { abandon } from './ending.ts';

/** How a helper is started, and how long it is waited for. */
export interface HelperOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Killed (SIGKILL) when one answer takes longer. */
  readonly answerMs: number;
  /** Ended when it was asked nothing for so long. */
  readonly idleMs: number;
}

/** Helpers that were killed and do not end, because the kernel does not let them: with so many, no other is started. */
const HUNG_MAX = 4;

interface Question {
  readonly line: string;
  readonly answer: (line: string | null) => void;
}

/**
 * A program that answers each line of its standard input with a line, in their order, and ends at the end of its input.
 * It is started when it is asked something. A question that it does not answer, or dies of, costs nobody else theirs:
 * the questions after it are asked again.
 */
export class Helper {
  readonly #options: HelperOptions;
  #child: ChildProcess | null = null;
  /** Those that wait for their answers, the oldest first. */
  readonly #questions: Question[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** Killed, and not ended. */
  #hung = 0;

  constructor(options: HelperOptions) {
    this.#options = options;
  }

  /** @returns the line that answers `line`; null when there is no answer */
  ask(line: string): Promise<string | null> {
    return new Promise((answer) => {
      this.#questions.push({ line, answer });
      if (this.#child) this.#child.stdin?.write(`${line}\n`);
      else this.#start();
      if (this.#questions.length === 1) this.#watch();
    });
  }

  /** Ends it. Whoever waits has no answer. */
  stop(): void {
    const waiting = this.#questions.splice(0);
    this.#letGo();
    for (const { answer } of waiting) answer(null);
  }

  #start(): void {
    if (this.#hung >= HUNG_MAX) {
      this.stop();
      return;
    }
    const { command, args, env } = this.#options;
    const child = spawn(command, args, { cwd: '/', env: { ...env }, stdio: ['pipe', 'pipe', 'ignore'] });
    this.#child = child;
    child.stdin.on('error', () => {});
    createInterface({ input: child.stdout }).on(
      'line',
      (line) => this.#child === child && this.#answered(line),
    );
    for (const event of ['error', 'exit'] as const)
      child.on(event, () => this.#child === child && this.#giveUp());
    for (const { line } of this.#questions) child.stdin.write(`${line}\n`);
  }

  #answered(line: string): void {
    this.#questions.shift()?.answer(line);
    this.#watch();
  }

  /** The oldest question has no answer. The others are asked again. */
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
