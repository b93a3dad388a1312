import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HostClient, path } from '../../packages/host/src/client/host-client.ts';
import { run } from '../../packages/host/src/process/run.ts';
import { onCore, type Role } from '../frame/cores.ts';
import { Program } from '../frame/programs.ts';
import { untilServed } from '../frame/wait.ts';
import { launch, takeImage } from './container.ts';
import type { Images } from './images.ts';
import type { ContainerPeer } from './peer.ts';

/** The checkout that these benchmarks belong to. */
export const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));

const COLLECT = new URL('./collect-garbage.ts', import.meta.url).href;
const WATCH = new URL('./watch-delay.ts', import.meta.url).href;
const MS_PER_S = 1000;

interface StartOptions {
  /** The server's core when absent. */
  readonly cores?: Role;
  /** Allows {@link Portholed.collectGarbage}. */
  readonly collectable?: boolean;
  /** URL of a module that is loaded into the daemon. */
  readonly module?: string;
  /** Gets all that the daemon writes to standard error. */
  readonly hear?: (text: string) => void;
  /** Allows {@link Portholed.delays}. */
  readonly watched?: boolean;
}

/** How late timers of a main thread were, in ms. */
export interface Delays {
  readonly p99: number;
  readonly most: number;
}

/** A daemon with its own state directory, started as an operator would, by default on the server's core. */
export class Portholed {
  readonly stateDir: string;
  readonly client: HostClient;
  readonly #checkout: string;
  readonly #flags: readonly string[];
  #program: Program | undefined;

  /** @param checkout folder of its sources @param flags its further settings, at each start */
  constructor(stateDir: string, checkout: string, flags: readonly string[] = []) {
    this.stateDir = stateDir;
    this.#checkout = checkout;
    this.#flags = flags;
    this.client = new HostClient(join(stateDir, 'unix.socket'));
  }

  get guestSocket(): string {
    return join(this.stateDir, 'devlxd', 'sock');
  }

  /** Where LXC finds its instances. */
  get instancesDir(): string {
    return join(this.stateDir, 'instances');
  }

  get hasEnded(): boolean {
    return this.#program?.hasEnded ?? true;
  }

  get pid(): number {
    if (!this.#program) throw new Error('the daemon was not started');
    return this.#program.pid;
  }

  /**
   * Starts it and waits until it serves operators and instances.
   * @returns how long that took, in seconds
   */
  async start(options: StartOptions = {}): Promise<number> {
    await mkdir(this.stateDir, { recursive: true });
    const { cores = 'server' } = options;
    const daemon = [join(this.#checkout, 'bin/portholed'), '--state-dir', this.stateDir, ...this.#flags];
    const command = [...loaded(options), ...daemon];
    const started = performance.now();
    this.#program = new Program(onCore(cores, command));
    if (options.hear) this.#program.hear(options.hear);
    await untilServed(this.client.socketPath, this.#program);
    await untilServed(this.guestSocket, this.#program);
    return (performance.now() - started) / MS_PER_S;
  }

  /** Kills it; its instances go on. */
  async kill(): Promise<void> {
    await this.#program?.kill();
  }

  /** Restarts it in place. @returns when the old program has handed over */
  async hangUp(): Promise<void> {
    const done = this.#program?.says('daemon handed over');
    process.kill(this.pid, 'SIGHUP');
    await done;
  }

  /** Stops it; its instances go on. */
  async stop(): Promise<void> {
    await this.#program?.stop();
  }

  /**
   * Has it collect its garbage; it must have been started as `collectable`.
   * @returns bytes that its main thread uses afterwards, in V8's heap and in buffers
   */
  async collectGarbage(): Promise<number> {
    const collected = this.#program?.says('bytes used');
    process.kill(this.pid, 'SIGUSR2');
    return Number(/(\d+) bytes used/.exec((await collected) ?? '')?.[1]);
  }

  /**
   * How late timers of its main thread were, in ms; it must have been started as `watched`. The first call begins to
   * watch, the second one ends it, and so on.
   * @returns the 99th percentile, and the longest
   */
  async delays(): Promise<Delays> {
    const told = this.#toldDelays();
    process.kill(this.pid, 'SIGUSR2');
    return told;
  }

  /** The same from now on, until it restarts in place by itself. */
  async delaysUntilRestart(): Promise<Delays> {
    await this.delays();
    return this.#toldDelays();
  }

  async #toldDelays(): Promise<Delays> {
    const told = await this.#program?.says('main thread late');
    const [, p99, most] = /p99 ([\d.]+) ms, most ([\d.]+) ms/.exec(told ?? '') ?? [];
    return { p99: Number(p99), most: Number(most) };
  }

  /** Resident memory, by the kernel's count. */
  residentKib(): number {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1]);
  }

  /** Resident memory, where a shared page counts divided by the number of processes that share it. */
  sharedKib(): number {
    const rollup = readFileSync(`/proc/${this.pid}/smaps_rollup`, 'utf8');
    return Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1]);
  }

  openFiles(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  /** A `porthole` command line for this daemon. */
  command(...words: readonly string[]): [string, ...string[]] {
    return [join(this.#checkout, 'bin/porthole'), '--state-dir', this.stateDir, ...words];
  }

  /** Ends it and its instances, and removes all its files. */
  async destroy(): Promise<void> {
    await this.stop();
    const ids = existsSync(this.instancesDir) ? readdirSync(this.instancesDir) : [];
    for (const id of ids) await run('lxc-stop', ['-k', '-n', id, '-P', this.instancesDir]);
    await rm(this.stateDir, { recursive: true, force: true });
  }
}

/** The command before the daemon's that loads what the options ask for. */
function loaded({ collectable = false, watched = false, module }: StartOptions): string[] {
  const options = [
    ...(collectable ? ['--expose-gc', `--import=${COLLECT}`] : []),
    ...(watched ? [`--import=${WATCH}`] : []),
    ...(module === undefined ? [] : [`--import=${module}`]),
  ];
  return options.length === 0 ? [] : ['env', `NODE_OPTIONS=${options.join(' ')}`];
}

/** Porthole with one real container. */
export async function startPorthole(
  folder: string,
  images: Images,
  checkout: string,
): Promise<ContainerPeer & { readonly daemon: Portholed }> {
  const daemon = new Portholed(join(folder, 'porthole'), checkout);
  await using stack = new AsyncDisposableStack();
  stack.defer(() => daemon.destroy());
  await daemon.start();
  await takeImage(daemon.client, images.busybox, 'busybox');
  const large = await takeImage(daemon.client, images.large, 'large');
  const callersOf = await launch(daemon.client, 'caller');
  const owned = stack.move();
  return {
    name: 'porthole',
    daemon,
    client: daemon.client,
    get pid() {
      return daemon.pid;
    },
    socket: daemon.guestSocket,
    callersOf,
    instance: 'caller',
    exportTarget: path`/1.0/images/${large}/export`,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
