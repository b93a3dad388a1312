import { join } from 'node:path';
import { merge } from '../../base/merge.ts';
import { hostError } from '../../core/errors.ts';
import type { Instance, Profile } from '../../core/model.ts';
import type { InstanceInfo, InstanceLive } from '../../instances/requests.ts';
import type { HostBackend, InstanceCases, ProfileCases, ServerFacts } from '../backend.ts';
import { FakeSession } from './fake-exec.ts';
import { FakeFiles } from './fake-files.ts';
import { FakeImages } from './fake-images.ts';
import { FakeOperations } from './fake-operations.ts';

const NOW = '2024-05-01T10:00:00.000Z';

/** A daemon in memory that keeps the rules of `HostBackend` as far as tests of the edge need them. */
export class FakeBackend implements HostBackend {
  readonly operations = new FakeOperations();
  readonly images: FakeImages;
  readonly files = new FakeFiles();
  readonly stored = new Map<string, Instance>();
  readonly running = new Set<string>();
  readonly profileMap = new Map<string, Profile>([
    ['default', { name: 'default', description: '', config: {}, devices: {} }],
  ]);
  readonly sessions: FakeSession[] = [];
  /** Called before a profile change is committed: room for somebody else's change. */
  beforeProfileCommit: () => void = () => {};
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.images = new FakeImages(this.operations, join(folder, 'images'));
  }

  readonly server: ServerFacts = {
    version: '0.1.0',
    name: 'host1',
    pid: 42,
    stateDir: '/var/lib/porthole',
    driver: 'lxc',
    driverVersion: '5.0.2',
    architecture: 'x86_64',
    kernelVersion: '6.18.0',
    osName: 'Debian',
    osVersion: '12',
    identification: 'pidfd',
    fastLane: () => 'on',
  };

  get journal() {
    return this.operations.journal;
  }

  subscribe = (listener: Parameters<HostBackend['subscribe']>[0]) => this.operations.subscribe(listener);

  /** Adds an instance. */
  add(name: string, part: Partial<Instance> = {}, running = false): Instance {
    const instance: Instance = {
      id: this.stored.size + 1,
      name,
      architecture: 'x86_64',
      description: '',
      ephemeral: false,
      profiles: ['default'],
      config: {},
      devices: {},
      createdAt: NOW,
      lastUsedAt: '1970-01-01T00:00:00Z',
      ...part,
    };
    this.stored.set(name, instance);
    if (running) this.running.add(name);
    return instance;
  }

  readonly instances: InstanceCases = {
    list: () => [...this.stored.values()].map((instance) => this.#info(instance)),
    get: (name) => this.#info(this.#instance(name)),
    live: async (name) => this.#live(name),
    create: (input) =>
      this.#run('Creating instance', input.name, () => {
        if (this.stored.has(input.name)) throw hostError('instance-exists');
        const { source, ...part } = input;
        this.add(input.name, { ...part, profiles: input.profiles ?? ['default'], architecture: 'x86_64' });
      }),
    update: (name, fields, _by, check) =>
      this.#run('Updating instance', name, () => {
        const instance = this.#instance(name);
        check?.(instance);
        const architecture = fields.architecture || instance.architecture;
        this.stored.set(name, { ...instance, ...fields, architecture });
      }),
    patch: async (name, part, _by, check) => {
      const instance = this.#instance(name);
      check?.(instance);
      this.stored.set(name, {
        ...instance,
        ...part,
        config: merge(instance.config, part.config ?? {}),
        devices: merge(instance.devices, part.devices ?? {}),
      });
    },
    rename: (name, to) =>
      this.#run('Renaming instance', name, () => {
        const instance = this.#instance(name);
        this.stored.delete(name);
        this.stored.set(to, { ...instance, name: to });
      }),
    delete: (name) => {
      this.#instance(name);
      if (this.running.has(name)) throw hostError('is-running');
      return this.#run('Deleting instance', name, () => this.stored.delete(name));
    },
    setState: (name, { action }) => {
      this.#instance(name);
      return this.#run('Starting instance', name, () => {
        if (action === 'start') this.running.add(name);
        else this.running.delete(name);
      });
    },
    exec: (name, request) => {
      this.#instance(name);
      if (!this.running.has(name)) throw hostError('not-running');
      const session = new FakeSession(this.operations, name, request);
      this.sessions.push(session);
      return session;
    },
    log: (name) => join(this.#folder, `${this.#instance(name).name}.log`),
  };

  readonly profiles: ProfileCases = {
    list: () =>
      [...this.profileMap.values()].map((profile) => ({ profile, usedBy: this.#users(profile.name) })),
    get: (name) => ({ profile: this.#profile(name), usedBy: this.#users(name) }),
    create: (profile) => {
      if (profile.name === '') throw hostError('no-name');
      if (this.profileMap.has(profile.name)) throw hostError('profile-exists', profile.name);
      this.profileMap.set(profile.name, profile);
    },
    update: async (name, fields, _by, check) => {
      this.beforeProfileCommit();
      const profile = this.#profile(name);
      check?.(profile);
      this.profileMap.set(name, { ...profile, ...fields });
    },
    rename: (name, to) => {
      const profile = this.#profile(name);
      this.profileMap.delete(name);
      this.profileMap.set(to, { ...profile, name: to });
    },
    delete: (name) => {
      this.#profile(name);
      this.profileMap.delete(name);
    },
  };

  #run(description: string, name: string, work: () => unknown) {
    return this.operations.run({ description, resources: { instances: [name] } }, work);
  }

  #instance(name: string): Instance {
    const instance = this.stored.get(name);
    if (!instance) throw hostError('instance-not-found');
    return instance;
  }

  #profile(name: string): Profile {
    const profile = this.profileMap.get(name);
    if (!profile) throw hostError('profile-not-found');
    return profile;
  }

  #users(profile: string): readonly string[] {
    return [...this.stored.values()]
      .filter(({ profiles }) => profiles.includes(profile))
      .map(({ name }) => name);
  }

  #info(instance: Instance): InstanceInfo {
    const profiles = instance.profiles.map((name) => this.#profile(name));
    return {
      instance,
      expandedConfig: Object.assign({}, ...profiles.map(({ config }) => config), instance.config),
      expandedDevices: Object.assign({}, ...profiles.map(({ devices }) => devices), instance.devices),
      status: this.running.has(instance.name) ? 'Running' : 'Stopped',
    };
  }

  #live(name: string): InstanceLive {
    const { status } = this.#info(this.#instance(name));
    const up = status === 'Running';
    const network = {
      type: 'broadcast',
      state: 'up',
      mtu: 1500,
      hwaddr: '00:16:3e:00:00:01',
      hostName: 'veth0',
      addresses: [{ family: 'inet', address: '10.0.0.2', netmask: '24', scope: 'global' } as const],
      counters: { bytesReceived: 1, bytesSent: 2, packetsReceived: 3, packetsSent: 4 },
    };
    return {
      status,
      pid: up ? 4242 : 0,
      processes: up ? 2 : 0,
      cpuUsage: up ? 24_005_998 : 0,
      memoryUsage: up ? 446_464 : 0,
      memoryPeak: up ? 1_437_696 : 0,
      diskUsage: null,
      network: up ? { eth0: network } : null,
    };
  }
}
