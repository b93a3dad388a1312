import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';
import { type Outcome, runIn } from '../../src/cli/testing/fake-io.ts';
import { HostClient, path } from '../../src/client/host-client.ts';
import { run } from '../../src/process/run.ts';

/** Folder of the programs `porthole` and `portholed`: the built ones in the project `long-built`. */
export const BIN = inject('bin') ?? fileURLToPath(new URL('../../../../bin/', import.meta.url));

/** The builders of `image build`: copy an image that has been built before. */
const BUILDERS = {
  async busybox(folder: string): Promise<string> {
    const image = join(folder, 'busybox.tar.gz');
    copyFileSync(inject('busybox'), image);
    return image;
  },
};

/** Folder for state directories: others must be able to search every folder on the path to them. */
const TEMPORARY = '/var/tmp';

/** A line of the daemon's log. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A real daemon with its own state directory, as an operator would start it. */
export class TestDaemon {
  readonly stateDir: string;
  readonly #command: readonly string[];
  #process: ChildProcess | undefined;
  readonly log: LogLine[] = [];
  #waiting: { text: string; resolve: (line: LogLine) => void }[] = [];

  private constructor(stateDir: string, under: readonly string[], args: readonly string[]) {
    this.stateDir = stateDir;
    this.#command = [...under, join(BIN, 'portholed'), '--state-dir', stateDir, ...args];
  }

  /**
   * Starts a daemon on a fresh state directory.
   * @param args more flags
   * @param under a command that executes the command that follows it, such as prlimit(1)
   */
  static async start(args: readonly string[] = [], under: readonly string[] = []): Promise<TestDaemon> {
    needRoot();
    const stateDir = mkdtempSync(join(TEMPORARY, 'porthole-test-'));
    const daemon = new TestDaemon(stateDir, under, args);
    await daemon.start();
    return daemon;
  }

  get hostSocket(): string {
    return join(this.stateDir, 'unix.socket');
  }

  get guestSocket(): string {
    return join(this.stateDir, 'devlxd', 'sock');
  }

  get pid(): number {
    if (!this.#process?.pid) throw new Error('the daemon does not run');
    return this.#process.pid;
  }

  /** Starts the daemon (again) and waits until it serves. */
  async start(): Promise<void> {
    const [command, ...args] = this.#command;
    const child = spawn(command as string, args, {
      stdio: ['ignore', 'inherit', 'pipe'],
      env: { ...process.env, PORTHOLE_LOG_LEVEL: 'debug' },
    });
    this.#process = child;
    const failed = once(child, 'exit').then(([code, signal]) => {
      throw new Error(
        `the daemon ended with ${code ?? signal}: ${this.log.map((line) => line.msg).join('; ')}`,
      );
    });
    failed.catch(() => {});
    createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => this.#read(line));
    await Promise.race([this.logged('daemon started'), failed]);
  }

  /** Waits for the next line of the log whose message contains `text`. */
  logged(text: string): Promise<LogLine> {
    return new Promise((resolve) => this.#waiting.push({ text, resolve }));
  }

  /**
   * Inodes of the accepted connections to the guest API. The kernel lists them with the path that was bound.
   */
  connections(): string[] {
    const connected = /^\S+ \S+ \S+ \S+ \S+ 03 +(\d+) (.*)$/;
    return readFileSync('/proc/net/unix', 'utf8')
      .split('\n')
      .flatMap((line) => {
        const [, inode = '', path] = connected.exec(line) ?? [];
        return path?.startsWith(this.guestSocket) ? [inode] : [];
      });
  }

  /** Stops the daemon as an operator would; its instances go on. @returns its exit code */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const exited = once(child, 'exit');
    child.kill(signal);
    const [code] = await exited;
    return code as number | null;
  }

  /** Kills the daemon with SIGKILL. */
  async kill(): Promise<void> {
    await this.stop('SIGKILL');
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Restarts the daemon in place, and waits until it serves again. */
  async restartInPlace(): Promise<void> {
    const started = this.logged('daemon started');
    process.kill(this.pid, 'SIGHUP');
    await started;
  }

  /** Runs the CLI against this daemon within the test's process, where it need not be loaded each time. */
  porthole(...args: string[]): Promise<Outcome> {
    return runIn(this.stateDir, args, { stdin: '', builders: BUILDERS });
  }

  /** Runs the CLI. @returns its standard output. @throws when it fails */
  async must(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.porthole(...args);
    if (code !== 0) throw new Error(`porthole ${args.join(' ')}: ${code} ${stderr}\n${stdout}`);
    return stdout;
  }

  /** Runs a command inside an instance. */
  inside(name: string, ...command: string[]): Promise<Outcome> {
    return this.porthole('exec', name, '-n', '--', ...command);
  }

  /** The host pid of an instance's init. */
  async initPid(name: string): Promise<number> {
    const { pid } = await new HostClient(this.hostSocket).get<{ pid: number }>(
      path`/1.0/instances/${name}/state`,
    );
    if (pid === 0) throw new Error(`${name} does not run`);
    return pid;
  }

  /** Ends the daemon and its instances, and removes their mounts and files; works also after a failure. */
  async destroy(): Promise<void> {
    await this.stop('SIGKILL');
    await endContainers(join(this.stateDir, 'instances'));
    for (const mount of mountsBelow(this.stateDir)) await run('umount', ['-l', mount]);
    rmSync(this.stateDir, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.destroy();
  }

  #read(text: string): void {
    const line = parseLine(text);
    this.log.push(line);
    const found = this.#waiting.filter((each) => line.msg.includes(each.text));
    this.#waiting = this.#waiting.filter((each) => !found.includes(each));
    for (const each of found) each.resolve(line);
  }
}

function parseLine(text: string): LogLine {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return { level: 'none', msg: text };
  }
}

function needRoot(): void {
  if (process.getuid?.() !== 0) throw new Error('these tests run real containers: run them as root');
  if (!existsSync('/usr/bin/lxc-start')) throw new Error('LXC is missing: apt-get install lxc uidmap');
}

async function endContainers(instances: string): Promise<void> {
  if (!existsSync(instances)) return;
  for (const id of readdirSync(instances)) await run('lxc-stop', ['-k', '-n', id, '-P', instances]);
}

/** Mount points of the host below a folder, the innermost first. */
export function mountsBelow(folder: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path === folder || path.startsWith(`${folder}/`))
    .reverse();
}
