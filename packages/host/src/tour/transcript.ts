import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A step that did not give the expected result. */
export class TourFailure extends Error {}

/** The result of a command. */
export interface Shown {
  readonly code: number | null;
  /** Standard output and standard error, as they came. */
  readonly text: string;
}

/** A command that goes on while others run. */
export interface Watched {
  /**
   * Settles with the first line that matches, also if it came before.
   * @throws TourFailure when none comes in time
   */
  line(pattern: RegExp): Promise<string>;
  end(): Promise<void>;
}

const COMMAND_TIMEOUT_MS = 120_000;
const LINE_TIMEOUT_MS = 10_000;

/** Runs commands as a user would type them, and shows both the commands and what they print. */
export class Transcript {
  readonly #command: readonly [string, ...string[]];
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #write: (text: string) => unknown;
  readonly #prompt: string;
  #steps = 0;

  /**
   * @param command how `porthole` is started
   * @param write where the transcript goes
   * @param prompt stands before each command
   */
  constructor(
    command: readonly [string, ...string[]],
    env: Readonly<Record<string, string | undefined>>,
    write: (text: string) => unknown,
    prompt = '$',
  ) {
    this.#command = command;
    this.#env = env;
    this.#write = write;
    this.#prompt = prompt;
  }

  /** Prints the title of a part of the tour. */
  title(text: string): void {
    this.#write(`\n${++this.#steps}. ${text}\n\n`);
  }

  /** Prints a text between commands. */
  say(text: string): void {
    this.#write(`   ${text}\n`);
  }

  /**
   * Runs `porthole` with these words, shows the command and its output, and checks the output.
   * @throws TourFailure when it ends with another exit code or prints something else
   */
  async run(words: readonly string[], expected: { prints?: RegExp; code?: number } = {}): Promise<string> {
    this.#write(`   ${this.#prompt} porthole ${words.map(quote).join(' ')}\n`);
    const shown = await this.#collect(words);
    for (const line of shown.text.trimEnd().split('\n')) if (line !== '') this.#write(`     ${line}\n`);
    const code = expected.code ?? 0;
    if (shown.code !== code)
      throw new TourFailure(`it ended with exit code ${shown.code}, ${code} was expected`);
    if (expected.prints && !expected.prints.test(shown.text)) {
      throw new TourFailure(`it did not print what was expected: ${expected.prints}`);
    }
    return shown.text;
  }

  /** Runs `porthole` without showing it. */
  quiet(words: readonly string[]): Promise<Shown> {
    return this.#collect(words);
  }

  /** Starts a command that goes on; its lines are shown as they come. */
  watch(words: readonly string[]): Watched {
    this.#write(`   ${this.#prompt} porthole ${words.map(quote).join(' ')} &\n`);
    const child = this.#spawn(words);
    const lines: string[] = [];
    const waiting = new Set<() => void>();
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      if (line.trim() !== '') this.#write(`     > ${line}\n`);
      lines.push(line);
      for (const look of waiting) look();
    });
    return { line: (pattern) => firstLine(lines, waiting, pattern), end: () => endChild(child) };
  }

  #collect(words: readonly string[]): Promise<Shown> {
    return new Promise((resolve, reject) => {
      const child = this.#spawn(words);
      const chunks: Buffer[] = [];
      const timer = setTimeout(() => child.kill('SIGKILL'), COMMAND_TIMEOUT_MS);
      child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
      child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk));
      child.on('error', reject);
      child.on('close', (code) => {
        clearTimeout(timer);
        resolve({ code, text: Buffer.concat(chunks).toString('utf8') });
      });
    });
  }

  #spawn(words: readonly string[]): ChildProcess {
    const [program, ...args] = this.#command;
    return spawn(program, [...args, ...words], {
      env: { ...this.#env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }
}

function firstLine(lines: readonly string[], waiting: Set<() => void>, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    const done = () => {
      clearTimeout(timer);
      waiting.delete(look);
    };
    const look = () => {
      const found = lines.find((line) => pattern.test(line));
      if (found === undefined) return;
      done();
      resolve(found);
    };
    const timer = setTimeout(() => {
      done();
      reject(new TourFailure(`no line came that matches ${pattern}`));
    }, LINE_TIMEOUT_MS);
    waiting.add(look);
    look();
  });
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('close', resolve));
  // Not SIGTERM: `porthole exec` forwards it to the process inside the instance.
  child.kill('SIGKILL');
  await ended;
}

/** A word, quoted as a shell needs it. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
