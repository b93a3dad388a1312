import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { until } from './api.ts';
import type { CallerTools } from './caller.ts';

/**
 * A file system that stops answering: a process that looks up its folder then waits in the kernel, and cannot
 * be killed.
 */
export class Deaf {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) =>
      this.lines.push(line),
    );
  }

  /**
   * Mounts it on the host.
   * @param names names of its folders, separated by commas
   * @param answers how many lookups of these names it answers before it stops
   */
  static onHost(tools: CallerTools, point: string, names: string, answers: number): Promise<Deaf> {
    return Deaf.#start([...program(tools), point, names, String(answers)]);
  }

  /** Mounts it inside an instance as root, with an overlay of it on `/dev` that is silent for `names`. */
  static overDev(tools: CallerTools, init: number, names: string): Promise<Deaf> {
    const enter = ['nsenter', '-t', `${init}`, '-U', '-p', '-S', '0', '-G', '0', '--'];
    return Deaf.#start([...enter, ...program(tools), '/deaf', names, '0', `${init}`, '/dev']);
  }

  static async #start([command = '', ...args]: string[]): Promise<Deaf> {
    const deaf = new Deaf(spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] }));
    deaf.#child.stdin?.on('error', () => {});
    await until('the file system is mounted', () => deaf.lines.includes('ready'));
    return deaf;
  }

  /** How many lookups it has held instead of answering. */
  get held(): number {
    return this.lines.filter((line) => line === 'held').length;
  }

  /** Answers all held lookups. */
  answer(): void {
    this.#child.stdin?.write('answer\n');
  }

  /** Ends it: processes that still wait get an error. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await ended;
  }
}

const program = (tools: CallerTools) => ['/usr/bin/python3', '-B', `${tools.folder}/programs/deaf.py`];
