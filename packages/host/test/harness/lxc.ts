import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Finished, run } from '../../src/process/run.ts';
import { TestDaemon } from './daemon.ts';

const TIMEOUT_MS = 60_000;

/** Settings as the client itself writes them; without them, its first command would print hints. */
export const LXC_CONFIG =
  'default-remote: local\nremotes:\n  local:\n    addr: unix://\n    public: false\naliases: {}\n';

/** LXD's client as Debian has it, with its own settings and a test daemon as its server. */
export class LxcClient {
  readonly daemon: TestDaemon;
  /** Folder for files of the tests and for the client's settings. */
  readonly folder: string;
  readonly env: Record<string, string>;

  private constructor(daemon: TestDaemon) {
    this.daemon = daemon;
    this.folder = mkdtempSync('/var/tmp/porthole-test-lxc-');
    chmodSync(this.folder, 0o755);
    const conf = join(this.folder, 'conf');
    mkdirSync(conf);
    writeFileSync(join(conf, 'config.yml'), LXC_CONFIG);
    const { PATH = '' } = process.env;
    this.env = { PATH, HOME: this.folder, TERM: 'xterm', LXD_DIR: daemon.stateDir, LXD_CONF: conf };
  }

  /** @throws when the client is not installed */
  static need(): void {
    if (!existsSync('/usr/bin/lxc')) throw new Error("LXD's client is missing: apt-get install lxd-client");
  }

  /** Starts a daemon that has the busybox image. @returns a client of it */
  static async start(args: readonly string[] = []): Promise<LxcClient> {
    LxcClient.need();
    const client = new LxcClient(await TestDaemon.start(args));
    await client.daemon.must('image', 'build', 'busybox');
    return client;
  }

  /** Runs a command; its input is empty. */
  run(...args: string[]): Promise<Finished> {
    return run('lxc', args, { env: this.env, cwd: this.folder, timeoutMs: TIMEOUT_MS });
  }

  /** Runs a command with input, as in a pipe. */
  feed(input: string, ...args: string[]): Promise<Finished> {
    const pipe = ['-c', 'cat | lxc "$@"', 'sh', ...args];
    return run('sh', pipe, { env: this.env, cwd: this.folder, input, timeoutMs: TIMEOUT_MS });
  }

  /** Runs a command. @returns its standard output. @throws when it fails */
  async must(...args: string[]): Promise<string> {
    const { ok, failure, stdout } = await this.run(...args);
    if (!ok) throw new Error(`lxc ${args.join(' ')}: ${failure}`);
    return stdout;
  }

  /**
   * Runs a command that must fail.
   * @returns its error text without `Error: `.
   * @throws when it does not fail
   */
  async refusal(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...args);
    if (code !== 1) throw new Error(`lxc ${args.join(' ')}: exit code ${code}, ${stdout}${stderr}`);
    return stderr.slice(stderr.indexOf('Error: ') + 'Error: '.length).trim();
  }

  /** Starts a command and leaves it running. */
  spawn(...args: string[]): ChildProcess {
    return spawn('lxc', args, { env: this.env, cwd: this.folder, stdio: ['pipe', 'pipe', 'pipe'] });
  }

  async destroy(): Promise<void> {
    await this.daemon.destroy();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Starts the client in an environment and leaves it running. */
export function spawnLxc(env: Record<string, string>, ...args: string[]): ChildProcess {
  return spawn('lxc', args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
}

/** Collects the standard output of a process. */
export function outputOf(child: ChildProcess): { readonly text: string } {
  const output = { text: '' };
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    output.text += chunk;
  });
  return output;
}
