import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { run } from '../../packages/host/src/process/run.ts';
import { mountsOf, namesIn, parentOf } from '../check/host.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PRELOAD = fileURLToPath(new URL('./preload.mjs', import.meta.url));

/** A fault of a real daemon: the name of a step, and which step with that name, from 1. */
export interface RealFault {
  readonly name: string;
  readonly count: number;
  readonly when: 'before' | 'after';
  readonly kind: 'kill' | 'full disk' | 'I/O error' | 'failure' | 'hang';
}

/** A real daemon on a state directory of its own, whose steps are named and counted. */
export class FaultyDaemon implements AsyncDisposable {
  readonly folder = mkdtempSync('/var/tmp/porthole-faults-');
  readonly stateDir = join(this.folder, 'state');
  readonly #faults = join(this.folder, 'faults');
  #child: ChildProcess | null = null;
  #waiting: { text: string; resolve: () => void }[] = [];
  readonly #log: string[] = [];

  /** Starts it for the first time. @param firstId of its instances, so that their cgroups have names of their own */
  static async begin(firstId: number): Promise<FaultyDaemon> {
    const daemon = new FaultyDaemon();
    await run('chmod', ['711', daemon.folder]);
    mkdirSync(daemon.#faults);
    await daemon.start();
    await daemon.kill();
    const database = new DatabaseSync(join(daemon.stateDir, 'porthole.db'));
    database.prepare("INSERT INTO sqlite_sequence (name, seq) VALUES ('instances', ?)").run(firstId);
    database.close();
    await daemon.start();
    return daemon;
  }

  get socket(): string {
    return join(this.stateDir, 'unix.socket');
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get lives(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The last lines of its log. */
  get log(): readonly string[] {
    return this.#log.slice(-20);
  }

  /** Starts it, and waits until it serves. @throws when it ends before */
  async start(): Promise<void> {
    const env = {
      ...process.env,
      PORTHOLE_LOG_LEVEL: 'debug',
      NODE_OPTIONS: `--import=${PRELOAD}`,
      PORTHOLE_FAULTS: this.#faults,
      PORTHOLE_FAULTS_STATE: this.stateDir,
    };
    const child = spawn(join(ROOT, 'bin/portholed'), ['--state-dir', this.stateDir], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    createInterface({ input: child.stderr }).on('line', (line) => this.#read(line));
    await this.#until(this.#logged('daemon started'));
  }

  /** Restarts it in place, and waits until it serves again. @throws when it ends before */
  async restartInPlace(): Promise<void> {
    const started = this.#logged('daemon started');
    const refused = this.#logged('this one goes on');
    process.kill(this.pid, 'SIGHUP');
    await this.#until(Promise.race([started, refused]));
  }

  async kill(): Promise<void> {
    if (!this.lives) return;
    const ended = once(this.#child as ChildProcess, 'exit');
    this.#child?.kill('SIGKILL');
    await ended;
  }

  /** Resolves when it has ended. */
  async ended(): Promise<void> {
    if (this.lives) await once(this.#child as ChildProcess, 'exit');
  }

  /** Counts steps from now on, and lets a fault come; null lets none come. */
  arm(fault: RealFault | null): void {
    this.disarm();
    for (const name of ['steps', 'met']) rmSync(join(this.#faults, name), { force: true });
    writeFileSync(join(this.#faults, 'plan'), JSON.stringify(fault ?? {}));
  }

  /** Counts no more steps, and ends what hangs. */
  disarm(): void {
    rmSync(join(this.#faults, 'plan'), { force: true });
    const hung = join(this.#faults, 'hung');
    if (!existsSync(hung)) return;
    const pid = Number(readFileSync(hung, 'utf8'));
    rmSync(hung);
    // It may have been given up and killed already.
    if (pid > 0 && namesIn('/proc').includes(String(pid)) && parentOf(pid) === 1)
      process.kill(pid, 'SIGKILL');
  }

  /** The names of the steps since `arm`. */
  steps(): string[] {
    const path = join(this.#faults, 'steps');
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];
  }

  /** Whether the fault has come. */
  get met(): boolean {
    return existsSync(join(this.#faults, 'met'));
  }

  /** Ends it and its instances, and removes all that is left of them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    const instances = join(this.stateDir, 'instances');
    if (existsSync(instances))
      for (const id of readdirSync(instances)) await run('lxc-stop', ['-k', '-n', id, '-P', instances]);
    for (const mount of mountsOf(this.stateDir)) await run('umount', ['-l', mount]);
    rmSync(this.folder, { recursive: true, force: true });
  }

  #until(reached: Promise<unknown>): Promise<unknown> {
    const failed = this.ended().then(() => Promise.reject(new Error(`the daemon ended: ${this.log.at(-1)}`)));
    return Promise.race([reached, failed]);
  }

  #logged(text: string): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ text, resolve }));
  }

  #read(line: string): void {
    this.#log.push(line);
    const found = this.#waiting.filter(({ text }) => line.includes(text));
    this.#waiting = this.#waiting.filter((each) => !found.includes(each));
    for (const { resolve } of found) resolve();
  }
}
