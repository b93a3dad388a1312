import type { DatabaseSync } from 'node:sqlite';
import { FakeBackups } from '../../backups/testing/fake-backups.ts';
import { NEVER } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';
import { isAdopted } from '../../core/adopted.ts';
import type { Image, Instance, Profile } from '../../core/entities.ts';
import { buildView } from '../../core/view-build.ts';
import { guestCases } from '../../daemon/guest-backend.ts';
import { hostBackend } from '../../daemon/host-backend.ts';
import type { GuestBackend } from '../../guest/backend.ts';
import type { HostBackend } from '../../host/backend.ts';
import type { SharedSide } from '../../model/agreement.ts';
import type { HostEvent, Requestor } from '../../model/events.ts';
import { EventHub } from '../../model/hub.ts';
import { KeyedQueue } from '../../model/keyed-queue.ts';
import { Model } from '../../model/model.ts';
import type { Operation } from '../../model/operation.ts';
import { Operations } from '../../model/operations.ts';
import { autostart, finishRestarts } from '../../startup/autostart.ts';
import type { Later } from '../../startup/later.ts';
import { recover } from '../../startup/startup.ts';
import type { JournalLimits } from '../../store/sqlite/journal-limits.ts';
import { openDatabase } from '../../store/sqlite/open.ts';
import type { Parts } from '../needs.ts';
import { Reboots } from '../reboots.ts';
import { Recognition } from '../recognition.ts';
import type { InstanceInfo, StateRequest } from '../requests.ts';
import { Runs } from '../runs.ts';
import { beginRun } from '../start.ts';
import { Unsettled } from '../unsettled.ts';
import { FakeAdopter } from './fake-adopter.ts';
import { FakeConnections, FakeIdentity } from './fake-guests.ts';
import { FakeImages, FakeRoots } from './fake-images.ts';
import { FakeMachine } from './fake-machine.ts';
import type { FakeRun } from './fake-run.ts';
import { FakeRuntime } from './fake-runtime.ts';
import { countingRandom, FakeClock } from './fake-world.ts';
import { Life, never } from './life.ts';
import { SERVER_FACTS } from './server-facts.ts';
import { TestStore } from './test-store.ts';

/** The operator of tests. */
export const BY: Requestor = { username: 'root', protocol: 'unix', address: '@' };

/** The part of a test's world that outlives a daemon. */
interface World {
  readonly machine: FakeMachine;
  readonly database: DatabaseSync;
  readonly clock: FakeClock;
  /** The fleet that the host is a member of. */
  readonly shared?: SharedSide;
}

/** A whole daemon except its two APIs' servers, on a host and a disk in memory. */
export class Heart {
  readonly world: World;
  readonly life = new Life();
  readonly store: TestStore;
  readonly runtime: FakeRuntime;
  readonly images: FakeImages;
  readonly identity = new FakeIdentity();
  readonly connections = new FakeConnections();
  readonly parts: Parts;
  readonly host: HostBackend;
  readonly guest: GuestBackend;
  /** Lifecycle events so far, such as `instance-started c1`. */
  readonly told: string[] = [];
  readonly events: HostEvent[] = [];
  /** The name of an instance for each view that was made. */
  readonly made: string[] = [];
  /** Each change of whether instances are being started. */
  readonly starting: boolean[] = [];
  #later: Later | undefined;

  private constructor(world: World, imageFolder: string | null, journal: Partial<JournalLimits> = {}) {
    this.world = world;
    const { life } = this;
    const { machine } = world;
    this.store = new TestStore(world.database, life, journal);
    this.runtime = new FakeRuntime(machine, life);
    this.images = new FakeImages(machine, life, imageFolder);
    this.parts = this.#makeParts();
    this.host = hostBackend(this.parts, this.images, SERVER_FACTS, new FakeBackups());
    this.guest = guestCases(this.parts, (fd) => this.identity.identify(fd), this.images);
    this.host.subscribe((event) => this.#note(event));
  }

  /** Begins a daemon that `prepare` may change first: it has recognised the runs that have notes, and has done no other work of a start. */
  static async begin(
    world: Partial<World> = {},
    imageFolder: string | null = null,
    prepare: (heart: Heart) => Promise<void> | void = () => {},
  ): Promise<Heart> {
    const { machine = new FakeMachine(), clock = new FakeClock() } = world;
    const { database = openDatabase(':memory:'), shared } = world;
    const heart = new Heart({ machine, clock, database, ...(shared && { shared }) }, imageFolder);
    await prepare(heart);
    heart.#later = await recover(heart.parts);
    return heart;
  }

  /** A new daemon, on a new machine, that has done no work of a start. */
  static bare(imageFolder: string | null = null, journal: Partial<JournalLimits> = {}): Heart {
    const world = { machine: new FakeMachine(), clock: new FakeClock(), database: openDatabase(':memory:') };
    return new Heart(world, imageFolder, journal);
  }

  /** Does the rest of a start: settles what the last daemon has left, then starts instances. */
  async settle(): Promise<void> {
    await this.#later?.begin();
    const restarts = finishRestarts(this.parts);
    await autostart(this.parts, new AbortController().signal);
    await restarts;
  }

  /** Kills the daemon. @returns the next one, as {@link begin} makes it */
  crash(): Promise<Heart> {
    this.life.end();
    this.stop();
    return Heart.begin(this.world);
  }

  /** Ends the timers of this daemon. */
  stop(): void {
    this.parts.reboots.stop();
    this.parts.unsettled.stop();
  }

  get model(): Model {
    return this.parts.model;
  }

  get machine(): FakeMachine {
    return this.world.machine;
  }

  /** Stores a stopped instance. */
  add(name: string, part: Partial<Instance> = {}): Instance {
    const instance: Instance = {
      id: this.model.nextInstanceId(),
      name,
      architecture: 'x86_64',
      description: '',
      ephemeral: false,
      profiles: ['default'],
      config: {},
      devices: {},
      createdAt: NEVER,
      lastStartedAt: NEVER,
      ...part,
    };
    this.model.commit([{ kind: 'put-instance', instance }]);
    return instance;
  }

  /** Stores an instance, and starts it. */
  async addRunning(name: string, part: Partial<Instance> = {}): Promise<Instance> {
    const { id } = this.add(name, part);
    await this.setState(name, 'start');
    return this.model.current(id);
  }

  /** Makes an instance run, as if it had been found running. */
  findRunning(instance: Instance): void {
    const { id, name } = instance;
    const { config, devices } = this.model.expanded(instance);
    this.machine.begin({ id, name, config, devices, lower: '', devlxd: true, namesHost: true });
    const handle = this.runtime.recall(instance);
    if (handle) beginRun(this.parts, instance, handle);
  }

  addProfile(name: string, part: Partial<Profile> = {}): void {
    const profile = { name, description: '', config: {}, devices: {}, ...part };
    this.model.commit([{ kind: 'put-profile', profile }]);
  }

  addImage(part: Partial<Image> = {}): Image {
    const image: Image = {
      fingerprint: 'f'.repeat(64),
      architecture: 'x86_64',
      size: 10,
      filename: 'i.tar.gz',
      public: false,
      cached: false,
      autoUpdate: false,
      properties: { os: 'busybox' },
      profiles: ['default'],
      createdAt: NEVER,
      uploadedAt: NEVER,
      lastUsedAt: NEVER,
      expiresAt: NEVER,
      files: { kind: 'unified', extension: '.tar.gz' },
      ...part,
    };
    this.images.stored.add(image.fingerprint);
    this.model.commit([{ kind: 'put-image', image }]);
    return image;
  }

  /** Changes the state of an instance. @returns the operation, after it has succeeded */
  setState(
    name: string,
    action: StateRequest['action'],
    part: Partial<StateRequest> = {},
  ): Promise<Operation> {
    return this.done(this.host.instances.setState(name, { action, timeout: -1, force: false, ...part }, BY));
  }

  /**
   * Resolves when an operation has succeeded; never, if this daemon is dead by then.
   * @throws Error with the message of its failure
   */
  async done({ id }: Operation): Promise<Operation> {
    const operation = await this.parts.operations.wait(id, -1);
    if (this.life.over) return never();
    if (operation.status !== 'Success') throw new Error(operation.err);
    return operation;
  }

  /** Resolves when all work is done that does not wait for time to pass. */
  async quiet(): Promise<void> {
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  /** The newest state of an instance. */
  get(name: string): Instance {
    return this.model.instance(name);
  }

  status(name: string): InstanceInfo['status'] {
    return this.host.instances.get(name).status;
  }

  power(name: string): string | undefined {
    return this.get(name).config['volatile.last_state.power'];
  }

  /** The run of an instance on the machine. @throws if there is none */
  run(name: string): FakeRun {
    const run = this.machine.runs.get(this.get(name).id);
    if (!run) throw new Error(`${name} does not run`);
    return run;
  }

  /** Whether an instance runs on the machine, also if the daemon does not know it. */
  runs(name: string): boolean {
    return this.machine.runs.has(this.get(name).id);
  }

  /** The events that an instance gets from now on, each as its metadata with the type in front. */
  listen(name: string): Record<string, unknown>[] {
    const heard: Record<string, unknown>[] = [];
    this.guest.subscribe(this.get(name).id, ({ type, metadata }) => heard.push({ type, ...metadata }));
    return heard;
  }

  #note(event: HostEvent): void {
    this.events.push(event);
    if (event.type !== 'lifecycle') return;
    const { action, source } = event.metadata;
    this.told.push(`${action} ${decodeURIComponent(source.slice(source.lastIndexOf('/') + 1))}`);
  }

  readonly #build: typeof buildView = (...parts) => {
    this.made.push(parts[0].name);
    return buildView(...parts);
  };

  #makeParts(): Parts {
    const { store, runtime, images, life } = this;
    const { machine, clock, shared } = this.world;
    const log = silentLog;
    const hub = new EventHub(log);
    const adopter = new FakeAdopter(machine, life);
    return {
      model: new Model({
        ...{ store, hub, clock, location: 'host1', log, build: this.#build },
        ...(shared && { shared }),
      }),
      hub,
      journal: store,
      operations: new Operations(hub, clock, log),
      queue: new KeyedQueue(),
      runtimeOf: (config) => (isAdopted(config) ? adopter : runtime),
      adopter,
      running: new Runs((on) => this.starting.push(on)),
      recognition: new Recognition(),
      reboots: new Reboots(),
      unsettled: new Unsettled(log),
      roots: new FakeRoots(machine, life, images),
      identity: this.identity,
      guests: this.connections,
      random: countingRandom(),
      clock,
      log,
    };
  }
}
