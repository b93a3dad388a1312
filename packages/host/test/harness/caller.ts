import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, cpSync, linkSync, mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { type Finished, run } from '../../src/process/run.ts';

/**
 * A folder with Node and test programs that instances' users can read. A process can enter an instance's user
 * and PID namespaces and still see the host's files, so a test program can be a real caller of the guest API
 * without being copied into the instance.
 */
export class CallerTools {
  readonly folder: string;

  constructor() {
    this.folder = mkdtempSync('/var/tmp/porthole-tools-');
    chmodSync(this.folder, 0o755);
    shareNode(join(this.folder, 'node'));
    cpSync(new URL('../programs/', import.meta.url), join(this.folder, 'programs'), { recursive: true });
  }

  /** Runs one of `test/programs` as root of the instance with this init. */
  call(initPid: number, program: string, ...args: string[]): Promise<Finished> {
    return run('nsenter', this.#args(initPid, program, args), { timeoutMs: PROGRAM_TIMEOUT_MS });
  }

  /** Sends requests byte for byte, each on its own connection, which it half-closes. @returns the answers */
  async exchange(initPid: number, socket: string, requests: readonly Buffer[]): Promise<Buffer[]> {
    const input = JSON.stringify(requests.map((request) => request.toString('base64')));
    const { ok, failure, stdout } = await run('nsenter', this.#args(initPid, 'exchange.mjs', [socket]), {
      timeoutMs: PROGRAM_TIMEOUT_MS,
      input,
    });
    if (!ok) throw new Error(failure);
    return (JSON.parse(stdout) as string[]).map((answer) => Buffer.from(answer, 'base64'));
  }

  /** Gets a connection that a process of the instance has made and passed to the test before it ended. */
  async handedOver(initPid: number, socket: string): Promise<Socket> {
    const [command, ...args] = ['nsenter', ...this.#args(initPid, 'give.mjs', [socket])] as [string];
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const ended = once(child, 'exit');
    const [, handle] = (await once(child, 'message')) as [string, Socket];
    await ended;
    return handle;
  }

  /** Starts one of `test/programs` and leaves it running. */
  spawn(initPid: number, program: string, ...args: string[]): ChildProcess {
    return spawn('nsenter', this.#args(initPid, program, args), { stdio: ['pipe', 'pipe', 'inherit'] });
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #args(initPid: number, program: string, args: string[]): string[] {
    const node = join(this.folder, 'node');
    return [
      '-t',
      String(initPid),
      '-U',
      '-p',
      '-S',
      '0',
      '-G',
      '0',
      '--',
      node,
      join(this.folder, 'programs', program),
      ...args,
    ];
  }
}

const PROGRAM_TIMEOUT_MS = 60_000;

/** Links Node's program, because it is large; copies it when it is on another disk. */
function shareNode(path: string): void {
  try {
    linkSync(process.execPath, path);
  } catch {
    copyFileSync(process.execPath, path);
  }
}
