import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Finished, run } from '../../src/process/run.ts';
import { withEdits } from '../../src/setup/edits.ts';
import { outputOf, PrivateHost } from './private-host.ts';
import type { Told } from './ways/way.ts';

/** The differences between one bundle and others. */
export interface BundleOf {
  /** Folder of the root filesystem. Several bundles may share one that is read-only. */
  readonly root: string;
  readonly readOnly: boolean;
  /** A shell script: the first program. */
  readonly script: string;
  /** The value of its key `user.x`. */
  readonly value: string;
  /** Folders of this host that it can write, by their path inside. */
  readonly shown?: Readonly<Record<string, string>>;
}

/** Bundles of plain runc, with the mount and the hooks of Porthole in their `config.json`. */
export class Bundles {
  readonly host: PrivateHost;
  readonly #told: Told;
  readonly #started = new Set<string>();
  /** What `runc spec` writes. */
  readonly #spec: string;

  private constructor(host: PrivateHost, told: Told, spec: string) {
    this.host = host;
    this.#told = told;
    this.#spec = spec;
  }

  static async make(told: Told): Promise<Bundles> {
    const host = await PrivateHost.make('runc');
    host.rootArchive();
    outputOf('runc spec', await run('runc', ['spec', '--bundle', host.folder]));
    return new Bundles(host, told, readFileSync(join(host.folder, 'config.json'), 'utf8'));
  }

  /** The folder of a bundle. */
  folder(name: string): string {
    return join(this.host.folder, name);
  }

  /** The root filesystem of the busybox image. */
  get root(): string {
    return join(this.host.folder, 'unpacked/rootfs');
  }

  /** Writes a bundle. */
  write(name: string, { root, readOnly, script, value, shown = {} }: BundleOf): void {
    const { stateDir, porthole } = this.#told;
    const spec = JSON.parse(this.#spec);
    Object.assign(spec.process, { terminal: false, args: ['sh', '-c', script] });
    spec.root = { path: root, readonly: readOnly };
    Object.assign(spec.linux, { cgroupsPath: `/${this.host.cgroup}/${name}` });
    spec.annotations = { 'dev.porthole.config.user.x': value };
    for (const [destination, source] of Object.entries(shown))
      spec.mounts.push({ destination, source, type: 'bind', options: ['bind'] });
    const place = { stateDir, bin: dirname(porthole), required: false };
    mkdirSync(this.folder(name), { recursive: true });
    writeFileSync(join(this.folder(name), 'config.json'), JSON.stringify(withEdits(spec, place)));
  }

  /** Starts a container from a bundle. Its standard output must not be a pipe of the test: the container keeps it. */
  async start(name: string): Promise<void> {
    this.#started.add(name);
    const script = 'exec runc run --detach --bundle "$1" "$2" > "$1/log" 2>&1 < /dev/null';
    const { ok, failure } = await run('sh', ['-c', script, 'sh', this.folder(name), name]);
    if (!ok) throw new Error(`${failure} ${readFileSync(join(this.folder(name), 'log'), 'utf8')}`);
  }

  /** Deletes a container; `--force` ends one that runs. */
  async delete(name: string, ...options: string[]): Promise<void> {
    outputOf('runc delete', await this.runc('delete', ...options, name));
    this.#started.delete(name);
  }

  /** Uses runc's own folder of states on this host, where the daemon notices that a container was removed. */
  runc(...words: string[]): Promise<Finished> {
    return run('runc', words);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of this.#started) await this.runc('delete', '--force', name);
    await this.host[Symbol.asyncDispose]();
  }
}
