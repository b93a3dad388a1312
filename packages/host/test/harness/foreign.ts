import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { APART } from '../../src/peer/testing/apart.ts';
import { CgroupFolders } from './cgroup-folders.ts';

/** Its address on an interface of its own. */
export const FOREIGN_ADDRESS = '10.99.0.2';

/** Prints a line when its network is there. It goes on working, so that there is something to count. */
const INIT = [
  'set -e',
  'ip link add eth0 type veth peer name eth1',
  `ip address add ${FOREIGN_ADDRESS}/24 dev eth0`,
  'ip link set eth1 up',
  'ip link set eth0 up',
  'echo ready',
  'while sleep 0.05; do :; done',
].join('\n');

/** A container as another runtime would start it, with network and cgroups of its own. */
export class ForeignContainer {
  readonly pid: number;
  readonly cgroups: CgroupFolders;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, cgroups: CgroupFolders) {
    this.#child = child;
    this.pid = Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8'));
    this.cgroups = cgroups;
  }

  /** @param name of its cgroups */
  static async start(name: string): Promise<ForeignContainer> {
    const child = spawn('unshare', [...APART, '--net', 'sh', '-c', INIT], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`the container has ended with ${code}`);
    });
    await Promise.race([once(child.stdout, 'data'), ended]);
    ended.catch(() => {});
    const container = new ForeignContainer(child, new CgroupFolders(name));
    container.cgroups.make();
    container.cgroups.enter(container.pid);
    return container;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, 'exit');
    process.kill(this.pid, 'SIGKILL');
    await exited;
    this.cgroups.remove();
  }
}
