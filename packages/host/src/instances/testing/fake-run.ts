import type { Device } from '../../core/entities.ts';
import { LIVE_LIMITS, type LiveLimit } from '../../core/limits.ts';
import type { Ending, RunSpec } from '../../runtimes/contract/runtime.ts';
import type { FakeProcess } from './fake-process.ts';

/** A run of an instance on a fake machine: its state inside, and its behaviour. */
export class FakeRun {
  readonly pid: number;
  readonly spec: RunSpec;
  /** Devices inside, by name. */
  readonly devices: Map<string, Device>;
  /** Names of interfaces on the host, by device. */
  readonly interfaces = new Map<string, string>();
  /** Existing mount points inside. */
  readonly places: Set<string>;
  readonly execs: FakeProcess[] = [];
  /** The number of guest API mounts at /dev/lxd. */
  guestApiMounts: number;
  /** If false, it ignores requests to shut down. */
  obeys = true;
  /** The number of unreleased handles of its init. */
  holders = 0;
  frozen = false;
  /** The limits of its cgroups, by key. */
  readonly limits = new Map<LiveLimit, string | undefined>();
  ending: Ending | null = null;
  readonly #listeners: ((ending: Ending) => void)[] = [];
  #dies = false;

  constructor(pid: number, spec: RunSpec) {
    this.pid = pid;
    this.spec = spec;
    this.devices = new Map();
    this.places = new Set();
    for (const [name, device] of Object.entries(spec.devices)) this.plug(name, device);
    this.guestApiMounts = spec.devlxd ? 1 : 0;
    for (const key of LIVE_LIMITS) this.limits.set(key, spec.config[key]);
  }

  get isAlive(): boolean {
    return this.ending === null;
  }

  get hostNames(): Record<string, string> {
    return Object.fromEntries(this.interfaces);
  }

  /** Adds a device. @returns what was made for it, like the real runtime */
  plug(name: string, device: Device): { created: boolean; hostName?: string } {
    this.devices.set(name, device);
    if (device['type'] === 'nic') {
      const hostName = device['host_name'] ?? newHostName();
      this.interfaces.set(name, hostName);
      return { created: false, hostName };
    }
    const path = device['path'] ?? '';
    const created = !this.places.has(path);
    this.places.add(path);
    return { created };
  }

  /** Removes a device and what was made for it. */
  unplug(name: string, device: Device, made: { created: boolean; hostName?: string }): void {
    this.devices.delete(name);
    if (made.hostName === this.interfaces.get(name)) this.interfaces.delete(name);
    if (made.created) this.places.delete(device['path'] ?? '');
  }

  onEnd(listener: (ending: Ending) => void): void {
    if (this.ending === null) this.#listeners.push(listener);
    else listener(this.ending);
  }

  /** Asks its init to shut down. */
  ask(): void {
    if (this.obeys) this.kill();
  }

  /** Kills it; if it is frozen, it ends when it is unfrozen. */
  kill(): void {
    this.#dies = true;
    if (!this.frozen) this.end('stop');
  }

  setFrozen(frozen: boolean): void {
    this.frozen = frozen;
    if (!frozen && this.#dies) this.end('stop');
  }

  /** Ends the run; called by a test, it ends by itself. */
  end(ending: Ending): void {
    if (this.ending !== null) return;
    this.ending = ending;
    for (const listener of this.#listeners) listener(ending);
  }
}

let interfaces = 0;

/** A new name for an interface on the host. */
export function newHostName(): string {
  return `veth${++interfaces}`;
}
