import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Finished } from '../../src/process/run.ts';
import { outputOf, PrivateHost } from './private-host.ts';

const USER = 'guest';
/** A user that this host does not have, with subordinate ids that no other user has. */
const UID = 61_234;
const SUBORDINATE = 2_000_000_000;

/** A user of the host, who is known only in mounts of their own, with a rootless Podman. */
export class RootlessPodman {
  readonly host: PrivateHost;
  readonly uid = UID;
  readonly #home: string;

  private constructor(host: PrivateHost) {
    this.host = host;
    this.#home = join(host.folder, 'home');
  }

  static async make(): Promise<RootlessPodman> {
    const podman = new RootlessPodman(await PrivateHost.make('rootless'));
    await podman.#addUser();
    podman.host.rootArchive();
    await podman.must('import', join(podman.host.folder, 'root.tar'), 'bb:1');
    return podman;
  }

  async #addUser(): Promise<void> {
    const { folder } = this.host;
    chmodSync(folder, 0o755);
    for (const path of [this.#home, join(folder, 'session')]) {
      mkdirSync(path, { mode: 0o700 });
      chownSync(path, UID, UID);
    }
    const range = `${USER}:${SUBORDINATE}:65536`;
    const script = [
      `cp -a /etc ${folder}/etc && mount --bind ${folder}/etc /etc`,
      `echo ${USER}:x:${UID}:${UID}::${this.#home}:/bin/sh >> /etc/passwd`,
      `echo ${USER}:x:${UID}: >> /etc/group`,
      `echo ${range} >> /etc/subuid && echo ${range} >> /etc/subgid`,
    ].join(' && ');
    outputOf('a user', await this.host.run(['sh', '-c', script]));
  }

  /** Starts a container that stays. */
  start(...words: string[]): Promise<Finished> {
    const limits = ['--ulimit=nofile=1024:1024', '--ulimit=nproc=1000:1000'];
    return this.run('run', '--detach', '--network=none', ...limits, ...words, 'bb:1', 'sleep', 'inf');
  }

  /** Runs a command of Podman as the user. */
  run(...words: string[]): Promise<Finished> {
    const podman = ['podman', '--runtime', 'runc', '--cgroup-manager=cgroupfs', '--storage-driver=vfs'];
    return this.as(...podman, ...words);
  }

  async must(...words: string[]): Promise<string> {
    return outputOf(`podman ${words.join(' ')}`, await this.run(...words));
  }

  /** Runs a program as the user. */
  as(...words: string[]): Promise<Finished> {
    const user = ['setpriv', `--reuid=${UID}`, `--regid=${UID}`, '--clear-groups', '--'];
    const { folder } = this.host;
    return this.host.run(['env', '--chdir=/', ...user, ...words], {
      HOME: this.#home,
      XDG_RUNTIME_DIR: join(folder, 'session'),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host.run(['umount', '-l', '/etc']);
    await this.host[Symbol.asyncDispose]();
  }
}
