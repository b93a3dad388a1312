import { type ChildProcess, spawn } from 'node:child_process';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../../packages/host/src/process/run.ts';
import { onCore } from '../frame/cores.ts';
import type { Peer } from '../peers/peer.ts';

const SOURCES = fileURLToPath(new URL('./native/', import.meta.url));
/** Linked statically, because some programs run inside instances. */
const CC = ['-O2', '-Wall', '-Wextra', '-pthread', '-static'];
/** The programs written for these benchmarks, and the sources of each. */
const PROGRAMS = {
  load: [
    ...['load.c', 'client.c', 'churn.c', 'drain.c', 'probe.c', 'listen.c', 'first.c', 'follow.c'],
    'websocket.c',
  ],
  crowd: ['crowd.c', 'member.c', 'client.c', 'websocket.c'],
  witness: ['witness.c', 'client.c'],
  plain: ['plain.c', 'client.c'],
  attack: ['attacks/attack.c', 'attacks/knocks.c', 'attacks/flood.c', 'attacks/floods.c', 'client.c'],
} as const;
/** Longer than any load takes; a program that hangs is ended. */
const LOAD_TIMEOUT_MS = 120_000;

/**
 * The load programs, in a folder that instances' users can read. A process can enter an instance's user and
 * PID namespaces and still see the host's files, so it is a real caller without being copied into the
 * instance.
 */
export class LoadTools {
  readonly folder: string;
  readonly #signal: AbortSignal;

  private constructor(folder: string, signal: AbortSignal) {
    this.folder = folder;
    this.#signal = signal;
  }

  /** Compiles the load programs. @param signal ends the load that is running */
  static async build(folder: string, signal: AbortSignal): Promise<LoadTools> {
    const bin = join(folder, 'bin');
    await mkdir(bin);
    for (const [name, files] of Object.entries(PROGRAMS)) {
      const sources = files.map((file) => join(SOURCES, file));
      const { ok, failure } = await run('gcc', [...CC, '-o', join(bin, name), ...sources]);
      if (!ok) throw new Error(failure);
    }
    await copyFile('/usr/bin/h2load', join(bin, 'h2load'));
    return new LoadTools(bin, signal);
  }

  path(program: string): string {
    return join(this.folder, program);
  }

  /**
   * Runs a load program as root of a peer's instance, on the load's core.
   * @returns its standard output
   */
  async run(peer: Peer, program: 'load' | 'h2load', ...args: readonly string[]): Promise<string> {
    const [command, ...rest] = this.#command(peer, program, args);
    const { ok, failure, stdout } = await run(command, rest, {
      cwd: '/',
      timeoutMs: LOAD_TIMEOUT_MS,
      signal: this.#signal,
    });
    this.#signal.throwIfAborted();
    if (!ok) throw new Error(`${program} on ${peer.name}: ${failure}`);
    return stdout;
  }

  /** Starts a load program and leaves it running; what it prints can be read line by line. */
  spawn(peer: Peer, program: 'load', ...args: readonly string[]): ChildProcess {
    const [command, ...rest] = this.#command(peer, program, args);
    return spawn(command, rest, {
      cwd: '/',
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
      signal: this.#signal,
      killSignal: 'SIGKILL',
    });
  }

  #command(peer: Peer, program: 'load' | 'h2load', args: readonly string[]): [string, ...string[]] {
    return onCore('load', [...enter(peer), this.path(program), ...args]);
  }
}

/** The command that makes a program root of a peer's instance, in a mount namespace that has its socket. */
function enter({ callersOf, mountsOf }: Peer): string[] {
  const mounts = mountsOf === undefined ? [] : ['nsenter', '-t', String(mountsOf), '-m', '--'];
  return [...mounts, 'nsenter', '-t', String(callersOf), '-U', '-p', '-S', '0', '-G', '0', '--'];
}
