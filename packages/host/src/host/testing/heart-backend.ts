import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Image, Instance, Profile } from '../../core/entities.ts';
import { Heart } from '../../instances/testing/heart.ts';
import type { JournalLimits } from '../../store/sqlite/journal-limits.ts';
import type { HostBackend, InstanceCases, ProfileCases } from '../backend.ts';
import { NO_MEMBERSHIP } from '../no-fleet.ts';
import { ExecNotes } from './exec-notes.ts';
import { OwnOperations } from './own-operations.ts';
import { UploadNotes } from './upload-notes.ts';

const PLAIN: Profile = { name: 'default', description: '', config: {}, devices: {} };
/** Creation time of images in tests; long ago. */
const NOW = '2024-05-01T10:00:00.000Z';

/** The functions that the host API uses, on the daemon's heart, and those that tests of the host API use. */
export class HeartBackend implements HostBackend {
  readonly heart: Heart;
  readonly instances: InstanceCases;
  readonly files;
  readonly profiles: ProfileCases;
  readonly images;
  readonly uploads: UploadNotes;
  readonly operations: OwnOperations;
  readonly server;
  readonly journal;
  readonly backups;
  /** A test can make this daemon a member of a fleet. */
  fleet: HostBackend['fleet'] = null;
  membership: HostBackend['membership'] = NO_MEMBERSHIP;
  /** Called before a profile change begins: a test can make another change first. */
  beforeProfileCommit: () => void = () => {};
  readonly #execs: ExecNotes;
  readonly #folder: string;
  #listeners = 0;

  constructor(folder: string, journal: Partial<JournalLimits> = {}) {
    this.#folder = join(folder, 'images');
    mkdirSync(this.#folder, { recursive: true });
    this.heart = Heart.bare(this.#folder, journal);
    const { host, parts, runtime } = this.heart;
    parts.model.commit([{ kind: 'put-profile', profile: PLAIN }]);
    runtime.logPath = (id) => join(folder, `${parts.model.current(id).name}.log`);
    this.#execs = new ExecNotes(runtime);
    const exec: InstanceCases['exec'] = (...args) => this.#execs.note(args[1], host.instances.exec(...args));
    this.instances = { ...host.instances, exec };
    this.files = host.files;
    const update: ProfileCases['update'] = (...args) => {
      this.beforeProfileCommit();
      return host.profiles.update(...args);
    };
    this.profiles = { ...host.profiles, update };
    this.uploads = new UploadNotes(host.images, this.heart.images);
    this.images = this.uploads.cases;
    this.operations = new OwnOperations(host.operations, parts);
    this.server = host.server;
    this.journal = host.journal;
    this.backups = host.backups;
  }

  /** Execs so far. */
  get sessions() {
    return this.#execs.sessions;
  }

  /** How many listeners there are for events. */
  get listenerCount(): number {
    return this.#listeners;
  }

  subscribe(listener: Parameters<HostBackend['subscribe']>[0]): () => void {
    const end = this.heart.host.subscribe(listener);
    this.#listeners++;
    return () => {
      this.#listeners--;
      end();
    };
  }

  /** Adds an instance, or replaces one of the same name. */
  add(name: string, part: Partial<Instance> = {}, running = false): Instance {
    const there = this.heart.model.hasInstance(name) ? this.heart.get(name) : {};
    const instance = this.heart.add(name, { ...there, ...part });
    if (running) this.heart.findRunning(instance);
    return instance;
  }

  profile(name: string): Profile {
    return this.heart.host.profiles.get(name).profile;
  }

  putProfile(profile: Profile): void {
    this.heart.model.commit([{ kind: 'put-profile', profile }]);
  }

  /** Adds an image made of these files. */
  addImage(files: readonly string[], part: Partial<Image> = {}): Image {
    const fingerprint = createHash('sha256').update(files.join('')).digest('hex');
    for (const [index, content] of files.entries())
      writeFileSync(join(this.#folder, `${fingerprint}.${index}`), content);
    const split = { kind: 'split', metadataExtension: '.tar.xz', rootfsExtension: '.squashfs' } as const;
    const image = { fingerprint, size: files.join('').length, filename: 'image.tar.gz', createdAt: NOW };
    return this.heart.addImage({ ...image, ...(files.length > 1 ? { files: split } : {}), ...part });
  }

  /** Files of an instance, by path. */
  filesOf(name: string) {
    return this.heart.machine.treeOf(this.heart.get(name).id).stored;
  }

  close(): void {
    this.heart.stop();
    this.heart.store.close();
  }
}
