import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finished } from '../../src/process/run.ts';
import { until } from './api.ts';
import { outputOf, PrivateHost } from './private-host.ts';

/** Debian's programs by their paths, because another `docker` may come first in PATH. */
const DOCKERD = '/usr/sbin/dockerd';
const DOCKER = '/usr/bin/docker';

/** A Docker of its own, without networks. */
export class Docker {
  readonly host: PrivateHost;
  /** Docker's settings: `daemon.json`. */
  readonly settings: string;
  readonly #daemon: ChildProcess;
  #log = '';

  private constructor(host: PrivateHost) {
    this.host = host;
    this.settings = join(host.folder, 'daemon.json');
    writeFileSync(this.settings, JSON.stringify({ pidfile: join(host.folder, 'pid') }));
    this.#daemon = host.spawn([DOCKERD, ...optionsOf(host, this.settings)], { HOME: host.folder });
    for (const stream of [this.#daemon.stdout, this.#daemon.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.#log += chunk;
      });
  }

  /** Starts it, with an image of busybox. */
  static async start(): Promise<Docker> {
    const host = await PrivateHost.make('docker');
    try {
      const docker = new Docker(host);
      await docker.#isReady();
      return docker;
    } catch (error) {
      await host[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #isReady(): Promise<void> {
    await until('Docker answers', async () => {
      if (this.#daemon.exitCode !== null) throw new Error(`dockerd has ended:\n${this.#log.slice(-3000)}`);
      return (await this.run('version')).ok;
    });
  }

  /** Makes an image of busybox. @param changes such as `LABEL a=b` */
  async image(name: string, ...changes: string[]): Promise<void> {
    const options = changes.flatMap((change) => ['--change', change]);
    await this.must('import', ...options, this.host.rootArchive(), name);
  }

  /** Starts a container that stays. @returns its id */
  start(...args: string[]): Promise<string> {
    return this.must('run', '--detach', '--network', 'none', ...args);
  }

  /** Runs a command of Docker. */
  run(...words: string[]): Promise<Finished> {
    return this.host.run(this.#command(words), { HOME: this.host.folder });
  }

  /** Starts a command of Docker that stays. */
  spawn(...words: string[]): ChildProcess {
    return this.host.spawn(this.#command(words), { HOME: this.host.folder });
  }

  #command(words: readonly string[]): string[] {
    return [DOCKER, '--host', `unix://${this.host.folder}/sock`, ...words];
  }

  async must(...words: string[]): Promise<string> {
    return outputOf(`docker ${words.join(' ')}`, await this.run(...words));
  }

  /** The folder of a container's bundle. */
  bundle(id: string): string {
    return join(this.host.folder, 'exec/containerd/daemon/io.containerd.runtime.v2.task/moby', id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host[Symbol.asyncDispose]();
  }
}

function optionsOf({ folder, cgroup }: PrivateHost, settings: string): string[] {
  const networks = ['--iptables=false', '--ip6tables=false', '--ip-forward=false', '--bridge=none'];
  const folders = [`--data-root=${folder}/data`, `--exec-root=${folder}/exec`, `--config-file=${settings}`];
  const cgroups = ['--exec-opt=native.cgroupdriver=cgroupfs', `--cgroup-parent=/${cgroup}`];
  return [...networks, ...folders, ...cgroups, '--storage-driver=vfs', `--host=unix://${folder}/sock`];
}
