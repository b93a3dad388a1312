import { type ChildProcess, spawn } from 'node:child_process';
import { compileCacheVariables } from '../base/compile-cache.ts';
import { apart } from './apart.ts';
import { abandon, isRunning, lastWords } from './ending.ts';

const ERROR_CHARS_MAX = 4096;

/**
 * A program of Porthole that works in steps: it prints a line for each step, and may wait for a line. If a step takes
 * too long, the program is killed. Nothing waits for its end, because it may hang.
 */
export class Dialogue {
  readonly #child: ChildProcess;
  readonly #end = Promise.withResolvers<void>();
  #timer: NodeJS.Timeout | undefined;
  #errors = '';
  #rest = '';

  /**
   * @param program path of a script for Node
   * @param take gets each line; if it throws, the program is killed
   */
  constructor(program: string, args: readonly string[], take: (line: string) => void) {
    const node = [process.execPath, '--disable-warning=ExperimentalWarning', program, ...args];
    const [command, ...words] = apart(node);
    this.#child = spawn(command, words, {
      cwd: '/',
      env: { ...process.env, ...compileCacheVariables() },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#end.promise.catch(() => {});
    this.#child.stdin?.on('error', () => {});
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#read(text, take));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-ERROR_CHARS_MAX);
    });
    this.#child.on('error', (error) => this.#end.reject(error));
    this.#child.on('close', (code) => this.#ended(code));
  }

  /** Resolves when the program has ended with success. @throws Error with the reason of its failure */
  get end(): Promise<void> {
    return this.#end.promise;
  }

  /** Whether the program still exists, also after it was killed. */
  get isRunning(): boolean {
    return isRunning(this.#child);
  }

  say(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** Limits the time of the next step. @param reason for the failure, if the program is killed then */
  limit(ms: number, reason: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.kill(reason), ms).unref();
  }

  /** Kills the program, and does not wait for its end. */
  kill(reason: string): void {
    clearTimeout(this.#timer);
    this.#end.reject(new Error(reason));
    if (isRunning(this.#child)) this.#child.kill('SIGKILL');
    void abandon(this.#child);
  }

  #read(text: string, take: (line: string) => void): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    try {
      for (const line of lines) take(line);
    } catch (error) {
      this.kill((error as Error).message);
    }
  }

  #ended(code: number | null): void {
    clearTimeout(this.#timer);
    if (code === 0) this.#end.resolve();
    else this.#end.reject(new Error(lastWords(this.#errors) || 'the program was ended'));
  }
}
