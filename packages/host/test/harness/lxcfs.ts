import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../src/process/run.ts';
import { until } from './api.ts';
import { mountsBelow } from './daemon.ts';

/** Debian's lxcfs, mounted at a place of the test's own. */
export class TestLxcfs {
  readonly point: string;
  readonly #folder: string;
  readonly #process: ChildProcess;

  private constructor(folder: string) {
    this.#folder = folder;
    this.point = join(folder, 'mounted');
    // Root of an instance has to reach it.
    chmodSync(folder, 0o755);
    mkdirSync(this.point);
    this.#process = spawn('lxcfs', ['-f', '-p', join(folder, 'pid'), this.point], { stdio: 'ignore' });
  }

  static async start(): Promise<TestLxcfs> {
    const lxcfs = new TestLxcfs(mkdtempSync('/var/tmp/porthole-test-lxcfs-'));
    await once(lxcfs.#process, 'spawn');
    await until('lxcfs is mounted', () => mountsBelow(lxcfs.point).length === 1);
    await run('cat', [join(lxcfs.point, 'proc/uptime')]);
    return lxcfs;
  }

  /** Makes it hang, lets it go on, or ends it without an unmount. */
  signal(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
    this.#process.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const ended = once(this.#process, 'exit');
      this.signal('SIGKILL');
      await ended;
    }
    for (const mount of mountsBelow(this.point)) await run('umount', ['--lazy', mount]);
    rmSync(this.#folder, { recursive: true });
  }
}
