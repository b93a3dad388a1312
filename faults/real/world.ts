import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildBusybox } from '../../packages/host/src/build/busybox.ts';
import { openEvents } from '../../packages/host/src/client/events.ts';
import { HostClient, path } from '../../packages/host/src/client/host-client.ts';
import { uploadImage } from '../../packages/host/src/client/upload.ts';
import { run } from '../../packages/host/src/process/run.ts';
import type { InstanceJson } from '../../packages/host/src/wire/instance.ts';
import { childOf } from '../check/host.ts';
import type { Ledger } from '../check/journal.ts';
import { readStore } from '../check/state-directory.ts';
import type { FaultyDaemon, RealFault } from './daemon.ts';

/** A folder of the host to show inside; its mount points begin with this. */
const INSIDE = '/fault';

/** Operators, guests and other runtimes around a real daemon. */
export class World implements AsyncDisposable {
  readonly daemon: FaultyDaemon;
  readonly ledger: Ledger;
  readonly client: HostClient;
  /** Beginning of the names of interfaces on the host. */
  readonly interfaces: string;
  readonly #foreign: ChildProcess[] = [];
  #images = 0;
  /** The images before the work. */
  imagesBefore = 0;
  /** The fingerprint of the image that was imported last. */
  lastImage = '';

  /** @param firstId the highest id that no instance of this daemon has */
  constructor(daemon: FaultyDaemon, ledger: Ledger, firstId: number) {
    this.interfaces = `phf${firstId}`;
    this.daemon = daemon;
    this.ledger = ledger;
    this.client = new HostClient(daemon.socket);
  }

  /** Imports the image, makes a profile, and an instance of another profile that no fault may touch. */
  async prepare(): Promise<void> {
    const file = join(this.daemon.folder, 'busybox.tar.gz');
    await buildBusybox({ path: file, onProgress: () => {} });
    const fingerprint = await uploadImage(
      this.client,
      { kind: 'unified', file },
      { public: true, properties: {} },
    );
    await this.change('POST', '/1.0/images/aliases', { name: 'busybox', target: fingerprint });
    await this.change('POST', '/1.0/profiles', { name: 'p1', config: { 'user.p': 'old' } });
    mkdirSync(join(this.daemon.folder, 'data'));
    writeFileSync(join(this.daemon.folder, 'data', 'f'), 'from the host\n');
    await run('chmod', ['-R', 'a+rX', join(this.daemon.folder, 'data')]);
    await this.create('o1', { config: { 'user.who': 'o1' } });
    await this.state('o1', 'start');
  }

  async change(method: string, target: string, json?: unknown): Promise<void> {
    await this.client.change(method, target, json === undefined ? {} : { json });
  }

  async create(name: string, fields: object = {}): Promise<void> {
    const source = { type: 'image', alias: 'busybox' };
    await this.change('POST', '/1.0/instances', { name, source, ...fields });
  }

  /** Adopts a new process of another runtime. */
  async adopt(name: string): Promise<void> {
    const child = spawn('unshare', ['--pid', '--fork', '--kill-child', 'sleep', '100000'], {
      stdio: 'ignore',
    });
    this.#foreign.push(child);
    await once(child, 'spawn');
    let pid = childOf(child.pid ?? 0);
    while (pid === null) {
      await new Promise(setImmediate);
      pid = childOf(child.pid ?? 0);
    }
    await this.create(name, { source: { type: 'adopt', pid } });
  }

  async state(name: string, action: string, force = false): Promise<void> {
    await this.change('PUT', path`/1.0/instances/${name}/state`, { action, timeout: -1, force });
  }

  async patch(name: string, part: object): Promise<void> {
    await this.change('PATCH', path`/1.0/instances/${name}`, part);
  }

  async delete(name: string): Promise<void> {
    await this.change('DELETE', path`/1.0/instances/${name}`);
  }

  /** Imports an image of its own. @returns its fingerprint */
  async import(): Promise<string> {
    const folder = join(this.daemon.folder, `image-${++this.#images}`);
    mkdirSync(join(folder, 'rootfs'), { recursive: true });
    const text = `architecture: x86_64\ncreation_date: 1\nproperties: {name: i${this.#images}}\n`;
    writeFileSync(join(folder, 'metadata.yaml'), text);
    const file = `${folder}.tar`;
    const packed = await run('tar', ['-cf', file, '-C', folder, 'metadata.yaml', 'rootfs']);
    if (!packed.ok) throw new Error(packed.failure);
    return uploadImage(this.client, { kind: 'unified', file }, { public: true, properties: {} });
  }

  /** Fetches an image as `image export` does. */
  async export(fingerprint: string): Promise<void> {
    const { ok, failure } = await run('curl', [
      ...['-sSf', '--unix-socket', this.daemon.socket, '-o', '/dev/null'],
      `http://lxd/1.0/images/${fingerprint}/export`,
    ]);
    if (!ok) throw new Error(failure);
  }

  /** Remembers how many images there are. */
  countImages(): void {
    this.imagesBefore = readStore(this.daemon.stateDir).images.length;
  }

  /** Lets work be cut off at one of its steps. */
  async killAt(fault: RealFault, work: () => Promise<unknown>): Promise<void> {
    this.daemon.arm(fault);
    const missed = work().then(
      () => Promise.reject(new Error(`there was no ${fault.name}`)),
      () => this.daemon.ended(),
    );
    await Promise.race([this.daemon.ended(), missed]);
    this.daemon.disarm();
  }

  disk(place: string) {
    return { type: 'disk', source: join(this.daemon.folder, 'data'), path: `${INSIDE}/${place}` };
  }

  /** @param which a letter, for the name of its interface on the host */
  nic(which: string, options: object = {}) {
    return { type: 'nic', nictype: 'p2p', host_name: `${this.interfaces}${which}`, ...options };
  }

  /** Names and statuses of all instances. */
  async statuses(): Promise<Record<string, string>> {
    const all = await this.client.get<InstanceJson[]>('/1.0/instances?recursion=1');
    return Object.fromEntries(all.map(({ name, status }) => [name, status]));
  }

  /** The position up to which the store has given numbers to events. */
  position(): number {
    return readStore(this.daemon.stateDir).given.events;
  }

  /** From now on, no more events of earlier requests come. */
  closeRequests(): void {
    this.ledger.ask(this.position(), []);
  }

  /** Listens to the events of this life of the daemon, from the last one that was heard. */
  async listen(): Promise<void> {
    const since = this.ledger.heard.at(-1)?.sequence ?? this.position();
    const events = await openEvents(this.daemon.socket, ['lifecycle'], String(since));
    const read = async () => {
      for await (const { metadata, sequence } of events)
        this.ledger.heard.push({
          ...{ sequence: Number(sequence), type: 'lifecycle', instanceId: null },
          metadata: { ...metadata },
        });
    };
    // It ends with the daemon.
    read().catch(() => {});
  }

  /** Starts a new daemon, and deletes what a try has made. */
  async begin(): Promise<void> {
    await this.daemon.kill();
    this.daemon.disarm();
    await this.daemon.start();
    await this.listen();
    await this.clear();
  }

  /** Deletes all instances but the neighbour, in any state. */
  async clear(): Promise<void> {
    for (const [name, status] of Object.entries(await this.statuses())) {
      if (name === 'o1') continue;
      const isAdopted = name.startsWith('a');
      if (status !== 'Stopped' && !isAdopted) await this.state(name, 'stop', true);
      if (name in (await this.statuses())) await this.delete(name);
    }
    for (const child of this.#foreign.splice(0)) child.kill('SIGKILL');
    const profile = { description: '', config: { 'user.p': 'old' }, devices: {} };
    await this.change('PUT', '/1.0/profiles/p1', profile);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#foreign.splice(0)) child.kill('SIGKILL');
    await this.daemon[Symbol.asyncDispose]();
  }
}
