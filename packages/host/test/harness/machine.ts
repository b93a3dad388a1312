import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Finished, run } from '../../src/process/run.ts';
import { until } from './api.ts';
import { CgroupFolders } from './cgroup-folders.ts';
import { type DebianRoot, makeDebianRoot } from './debian-root.ts';

const MINUTE_MS = 60_000;
/** For mmdebstrap and apt, which download. */
const INSTALL_MS = 15 * MINUTE_MS;
const BOOT_MS = 2 * MINUTE_MS;
const HALT_MS = MINUTE_MS;

/** What the machine has besides Debian's minimum. */
const INCLUDED = ['systemd-sysv', 'dbus', 'ca-certificates', 'curl'];

/** What a machine has besides. */
export interface MachineOptions {
  /** Packages of Debian. */
  readonly packages?: readonly string[];
  /** Folders of the host, by the path at which the machine sees them; it cannot change them. */
  readonly shown?: Readonly<Record<string, string>>;
}

/** systemd 256 and later refuses cgroups of version 1, also with some of version 2 beside them, without this. */
const INIT_ARGUMENTS = ['SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1'];

/**
 * A Debian with systemd as its first process, in mount, PID and cgroup namespaces of its own: a place to install
 * packages as an operator would. It uses the network of the host. After its end it leaves nothing behind.
 */
export class DebianMachine {
  /** Of the machine's root, seen from here. */
  readonly root: string;
  readonly #suite: DebianRoot['suite'];
  readonly #options: MachineOptions;
  readonly #folder: string;
  readonly #cgroups: CgroupFolders;
  #process: ChildProcess | undefined;
  #init = 0;

  private constructor(suite: DebianRoot['suite'], folder: string, options: MachineOptions) {
    this.#suite = suite;
    this.#options = options;
    this.#folder = folder;
    this.root = join(folder, 'root');
    this.#cgroups = new CgroupFolders(basename(folder));
  }

  /** Makes a machine and boots it; takes a minute or more. */
  static async start(
    suite: DebianRoot['suite'] = 'bookworm',
    options: MachineOptions = {},
  ): Promise<DebianMachine> {
    const machine = new DebianMachine(suite, mkdtempSync('/var/tmp/porthole-test-machine-'), options);
    try {
      await machine.#make();
      await machine.#boot();
    } catch (error) {
      await machine.destroy();
      throw error;
    }
    return machine;
  }

  /** Runs a program in the machine, as root. */
  run(command: string, ...args: string[]): Promise<Finished> {
    const environment = [
      'env',
      '-i',
      '-C',
      '/root',
      'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
      'HOME=/root',
      'LC_ALL=C.UTF-8',
    ];
    const enter = ['--target', String(this.#init), '--all', '--', ...environment];
    const noninteractive = 'DEBIAN_FRONTEND=noninteractive';
    return run('nsenter', [...enter, noninteractive, command, ...args], { timeoutMs: INSTALL_MS });
  }

  /** Runs a program in the machine. @returns its standard output. @throws when it fails */
  async must(command: string, ...args: string[]): Promise<string> {
    const { ok, failure, stdout, stderr } = await this.run(command, ...args);
    if (!ok) throw new Error(`${command} ${args.join(' ')}: ${failure}\n${stdout}${stderr}`);
    return stdout;
  }

  /** Copies a file of the host into the machine's /root. @returns its path there */
  give(path: string): string {
    const target = `/root/${basename(path)}`;
    cpSync(path, join(this.root, target));
    return target;
  }

  /** Halts the machine and removes it; works also after a failure. */
  async destroy(): Promise<void> {
    await this.#halt();
    this.#cgroups.remove();
    rmSync(this.#folder, { recursive: true, force: true });
    // On hosts whose /run is a disk, systemd-nspawn does not remove this itself.
    rmSync(join('/run/systemd/nspawn/propagate', basename(this.#folder)), { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.destroy();
  }

  async #make(): Promise<void> {
    const packages = [...INCLUDED, ...(this.#options.packages ?? [])];
    await makeDebianRoot({ suite: this.#suite, packages }, this.root);
    // LXC's package would make a bridge, in the host's network.
    symlinkSync('/dev/null', join(this.root, 'etc/systemd/system/lxc-net.service'));
  }

  async #boot(): Promise<void> {
    this.#cgroups.make();
    const options = [
      '--quiet',
      '--boot',
      '--register=no',
      '--keep-unit',
      '--console=pipe',
      '--capability=all',
    ];
    const place = [
      `--directory=${this.root}`,
      `--machine=${basename(this.#folder)}`,
      '--resolv-conf=copy-host',
      ...Object.entries(this.#options.shown ?? {}).map(([at, path]) => `--bind-ro=${path}:${at}`),
    ];
    // It ends with the test, also when that is killed.
    const command = [
      'setpriv',
      '--pdeathsig',
      'TERM',
      'systemd-nspawn',
      ...options,
      ...place,
      ...INIT_ARGUMENTS,
    ];
    this.#process = spawn('sh', ['-c', this.#cgroups.enterAndRun(), 'sh', ...command], {
      stdio: 'ignore',
      env: { ...process.env, SYSTEMD_SECCOMP: '0', SYSTEMD_NSPAWN_API_VFS_WRITABLE: '1' },
    });
    const hasInit = () => {
      this.#init = this.#findInit();
      return this.#init > 0;
    };
    await until('the machine has an init', hasInit, BOOT_MS);
    await until('systemd has started all', async () => this.#hasBooted(), BOOT_MS);
    for (const controller of this.#cgroups.names())
      await this.must('mount', '-o', 'remount,bind,rw', `/sys/fs/cgroup/${controller}`);
  }

  /** The first child of systemd-nspawn, once it runs systemd; 0 before. */
  #findInit(): number {
    const pid = this.#process?.pid;
    if (!pid || this.#process?.exitCode !== null) throw new Error('systemd-nspawn ended');
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    const init = children.find(
      (child) => child && readFileSync(`/proc/${child}/comm`, 'utf8') === 'systemd\n',
    );
    return Number(init ?? 0);
  }

  async #hasBooted(): Promise<boolean> {
    const { stdout } = await this.run('systemctl', 'is-system-running');
    return /^(running|degraded)$/m.test(stdout);
  }

  async #halt(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => this.#kill(), HALT_MS);
    await ended;
    clearTimeout(timer);
    await until('no process is left', () => this.#cgroups.pids().length === 0, HALT_MS);
  }

  #kill(): void {
    if (this.#init > 0) process.kill(this.#init, 'SIGKILL');
    this.#process?.kill('SIGKILL');
  }
}
