import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, rmSync, type WriteStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { within } from '../../packages/host/src/base/within.ts';
import { HostClient } from '../../packages/host/src/client/host-client.ts';

/** Debian's package `faketime` has it here. */
const FAKETIME = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/faketime/libfaketimeMT.so.1`;

/** A start may wait for a slow disk, on a busy machine. */
const START_MS = 90_000;

/** When the daemon works, or goes on working, its log has one of these. */
const WORKS = ['daemon started', 'this one goes on'];

const LOG_LINES_MAX = 40;

export interface MemberSetup {
  readonly name: string;
  /** Its folder. Other users must be able to search the path to it. */
  readonly folder: string;
  /** Words before the command of the daemon. */
  readonly under: readonly string[];
  readonly program: string;
  readonly flags: readonly string[];
}

/** A daemon of the fleet on a host of its own. */
export class FleetDaemon {
  readonly name: string;
  readonly stateDir: string;
  readonly #setup: MemberSetup;
  readonly #clock: string;
  readonly #log: WriteStream;
  readonly #tail: string[] = [];
  #child: ChildProcess | null = null;
  #waiting: (() => void)[] = [];

  constructor(setup: MemberSetup) {
    this.name = setup.name;
    this.#setup = setup;
    this.stateDir = join(setup.folder, 'state');
    this.#clock = join(setup.folder, 'clock');
    mkdirSync(setup.folder, { mode: 0o711 });
    this.#log = createWriteStream(this.log);
    this.setClock(0);
  }

  get client(): HostClient {
    return new HostClient(join(this.stateDir, 'unix.socket'));
  }

  get guestSocket(): string {
    return join(this.stateDir, 'devlxd', 'sock');
  }

  /** The file that its log is written to. */
  get log(): string {
    return join(this.#setup.folder, 'log');
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get lives(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The last lines of its log. */
  get tail(): readonly string[] {
    return this.#tail;
  }

  /** Sets its time of day. @param seconds after the machine's */
  setClock(seconds: number): void {
    writeFileSync(this.#clock, `${seconds < 0 ? '' : '+'}${seconds}\n`);
  }

  /** Starts it. Resolves when it serves. @throws Error if it ends before, or takes too long */
  async start(): Promise<void> {
    const { under, program, flags } = this.#setup;
    const command = [...under, program, '--state-dir', this.stateDir, ...flags];
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...command], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...process.env,
        PORTHOLE_LOG_LEVEL: 'debug',
        LD_PRELOAD: FAKETIME,
        FAKETIME_TIMESTAMP_FILE: this.#clock,
        FAKETIME_CACHE_DURATION: '1',
        // A host's other clocks do not jump with its time of day.
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
        DONT_FAKE_MONOTONIC: '1',
        NO_FAKE_STAT: '1',
      },
    });
    this.#child = child;
    child.on('exit', () => removeShared(child.pid ?? 0));
    createInterface({ input: child.stderr }).on('line', (line) => this.#read(line));
    await this.#works();
  }

  async kill(): Promise<void> {
    if (!this.lives) return;
    const ended = once(this.#child as ChildProcess, 'exit');
    this.#child?.kill('SIGKILL');
    await ended;
  }

  /** Restarts it in place. Resolves when it serves again, or goes on as it was. */
  async restartInPlace(): Promise<void> {
    const works = this.#works();
    process.kill(this.pid, 'SIGHUP');
    await works;
  }

  async stop(): Promise<void> {
    if (!this.lives) return;
    const ended = once(this.#child as ChildProcess, 'exit');
    this.#child?.kill('SIGTERM');
    await ended;
    this.#log.end();
  }

  /** Resolves when its log says once more that it works. */
  async #works(): Promise<void> {
    const child = this.#child as ChildProcess;
    const ended = once(child, 'exit').then(([code, signal]) => {
      throw new Error(`${this.name} ended with ${code ?? signal}: ${this.#tail.slice(-5).join('\n')}`);
    });
    ended.catch(() => {});
    const works = new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (!(await within(START_MS, Promise.race([works, ended]))))
      throw new Error(`${this.name} does not work again: ${this.#tail.slice(-5).join('\n')}`);
  }

  #read(line: string): void {
    this.#log.write(`${line}\n`);
    this.#tail.push(line);
    if (this.#tail.length > LOG_LINES_MAX) this.#tail.shift();
    if (!WORKS.some((words) => line.includes(words))) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** What libfaketime leaves of a process that was killed. */
function removeShared(pid: number): void {
  for (const name of ['faketime_shm_', 'sem.faketime_sem_'])
    rmSync(`/dev/shm/${name}${pid}`, { force: true });
}
