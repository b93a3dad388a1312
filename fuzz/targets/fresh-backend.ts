import type { HostBackend } from '../../packages/host/src/host/backend.ts';
import { NO_MEMBERSHIP } from '../../packages/host/src/host/no-fleet.ts';
import { HeartBackend } from '../../packages/host/src/host/testing/heart-backend.ts';
import { BY } from '../../packages/host/src/instances/testing/heart.ts';
import { IMAGE } from './host-words.ts';

/** A backend of the host API that can be renewed for each case while the server stays. */
export class FreshBackend implements HostBackend {
  readonly #folder: string;
  readonly fleet = null;
  readonly membership = NO_MEMBERSHIP;
  now: HeartBackend;

  constructor(folder: string) {
    this.#folder = folder;
    this.now = new HeartBackend(folder);
    this.renew();
  }

  get instances() {
    return this.now.instances;
  }

  get files() {
    return this.now.files;
  }

  get profiles() {
    return this.now.profiles;
  }

  get images() {
    return this.now.images;
  }

  get operations() {
    return this.now.operations;
  }

  get backups() {
    return this.now.backups;
  }

  get server() {
    return this.now.server;
  }

  get journal() {
    return this.now.journal;
  }

  /** Subscribes to the events of this backend and of all later ones. */
  subscribe(listener: Parameters<HostBackend['subscribe']>[0]): () => void {
    this.#listener = listener;
    this.now.subscribe(listener);
    return () => {
      this.#listener = undefined;
    };
  }

  #listener: Parameters<HostBackend['subscribe']>[0] | undefined;

  /** Replaces the backend with a new one that has an object of each kind. */
  renew(): HeartBackend {
    for (const { process: command } of this.now.sessions) command.exit(0);
    this.now.close();
    const backend = new HeartBackend(this.#folder);
    this.now = backend;
    backend.putProfile({ name: 'p1', description: '', config: { 'user.p': '1' }, devices: {} });
    backend.add('c1', { profiles: ['default', 'p1'], config: { 'user.a': 'b' } }, true);
    backend.add('c2', { devices: { root: { type: 'disk', path: '/', pool: 'default' } } });
    const { fingerprint } = backend.addImage([IMAGE]);
    backend.images.createAlias({ name: 'tiny', description: '', target: fingerprint }, BY);
    const facts = { type: 'file', uid: 0, gid: 0, mode: 0o644, modified: NOW, size: 4 } as const;
    backend.filesOf('c1').set('/etc/hosts', { facts, bytes: Buffer.from('here') });
    if (this.#listener !== undefined) backend.subscribe(this.#listener);
    return backend;
  }

  /** All state that a request can change, as text. */
  state(): string {
    const { heart, operations } = this.now;
    const { instances, profiles, images, aliases } = heart.model.state;
    return JSON.stringify([
      ...[[...instances], [...profiles], [...images], [...aliases], [...heart.machine.runs.keys()]],
      ...[...instances.values()].map(({ name }) =>
        [...this.now.filesOf(name)].map(([path, { bytes }]) => [path, bytes.toString('base64')]),
      ),
      operations.list().length,
    ]);
  }
}

const NOW = '2024-05-01T10:00:00.000Z';
