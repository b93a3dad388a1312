import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finished } from '../../src/process/run.ts';
import { outputOf, PrivateHost } from './private-host.ts';

/** What every container gets: no network, and limits that this host allows. */
const PLAIN = ['--network=none', '--ulimit=nofile=1024:1024', '--ulimit=nproc=1000:1000'];

/** A Podman with storage and configuration of its own. */
export class Podman {
  readonly host: PrivateHost;
  /** Its configuration: `containers.conf`. */
  readonly settings: string;
  /** The OCI runtime of its commands. */
  runtime = 'runc';

  private constructor(host: PrivateHost) {
    this.host = host;
    this.settings = join(host.folder, 'containers.conf');
    writeFileSync(this.settings, '');
  }

  static async make(): Promise<Podman> {
    return new Podman(await PrivateHost.make('podman'));
  }

  /** Makes an image of busybox. @param changes such as `LABEL a=b` */
  async image(name: string, ...changes: string[]): Promise<void> {
    const options = changes.flatMap((change) => ['--change', change]);
    await this.must('import', ...options, this.host.rootArchive(), name);
  }

  /** Starts a container that stays. @returns its id */
  start(...args: string[]): Promise<string> {
    return this.must('run', '--detach', ...PLAIN, `--cgroup-parent=/${this.host.cgroup}`, ...args);
  }

  /** Runs a command of Podman. */
  run(...words: string[]): Promise<Finished> {
    return this.host.run(this.#command(words), this.#env);
  }

  /** Starts a command of Podman that stays. */
  spawn(...words: string[]): ChildProcess {
    return this.host.spawn(this.#command(words), this.#env);
  }

  get #env() {
    return { HOME: this.host.folder, CONTAINERS_CONF: this.settings };
  }

  #command(words: readonly string[]): string[] {
    const { folder } = this.host;
    const folders = [
      '--root',
      join(folder, 'root'),
      '--runroot',
      join(folder, 'run'),
      '--tmpdir',
      '/run/libpod',
    ];
    const runtime = ['--runtime', this.runtime];
    const options = [...folders, ...runtime, '--cgroup-manager=cgroupfs', '--storage-driver=vfs'];
    return ['podman', ...options, ...words];
  }

  async must(...words: string[]): Promise<string> {
    return outputOf(`podman ${words.join(' ')}`, await this.run(...words));
  }

  /** The folder of a container's bundle. */
  bundle(id: string): string {
    return join(this.host.folder, 'root/vfs-containers', id, 'userdata');
  }

  /** The name under which skopeo(1) knows an image here. */
  reference(image: string): string {
    return `containers-storage:[vfs@${this.host.folder}/root+${this.host.folder}/run]${image}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host[Symbol.asyncDispose]();
  }
}
