import type { Device } from '../../core/entities.ts';
import type { Ending, RunSpec } from '../../runtimes/contract/runtime.ts';
import type { FakeProcess } from './fake-process.ts';

/** A run of an instance on a machine: what is inside, and how it behaves. */
export class FakeRun {
  readonly pid: number;
  readonly spec: RunSpec;
  /** Devices inside, by name. */
  readonly devices: Map<string, Device>;
  /** Interfaces on the host, by device. */
  readonly interfaces = new Map<string, string>();
  /** Where there is a folder to mount on. */
  readonly places: Set<string>;
  readonly execs: FakeProcess[] = [];
  /** How often the guest API's folder is at /dev/lxd. */
  guestApiMounts: number;
  /** False: it goes on when it is asked to shut down. */
  obeys = true;
  /** Daemons that hold its init. */
  holders = 0;
  frozen = false;
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
  }

  get isAlive(): boolean {
    return this.ending === null;
  }

  get hostNames(): Record<string, string> {
    return Object.fromEntries(this.interfaces);
  }

  /** Puts a device in, as it would be put into a real one. @returns what was made for it */
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

  /** Takes a device out, with the interface of that name on the host. */
  unplug(name: string, device: Device, made: { created: boolean; hostName?: string }): void {
    this.devices.delete(name);
    if (made.hostName === this.interfaces.get(name)) this.interfaces.delete(name);
    if (made.created) this.places.delete(device['path'] ?? '');
  }

  onEnd(listener: (ending: Ending) => void): void {
    if (this.ending === null) this.#listeners.push(listener);
    else listener(this.ending);
  }

  /** Its init is asked to shut down. */
  ask(): void {
    if (this.obeys) this.kill();
  }

  /** Frozen processes notice a signal, even a deadly one, when they run again. */
  kill(): void {
    this.#dies = true;
    if (!this.frozen) this.end('stop');
  }

  setFrozen(frozen: boolean): void {
    this.frozen = frozen;
    if (!frozen && this.#dies) this.end('stop');
  }

  /** It ends: by itself when a test says so. */
  end(ending: Ending): void {
    if (this.ending !== null) return;
    this.ending = ending;
    for (const listener of this.#listeners) listener(ending);
  }
}

let interfaces = 0;

/** A name that no interface on the host has had. */
export function newHostName(): string {
  return `veth${++interfaces}`;
}
