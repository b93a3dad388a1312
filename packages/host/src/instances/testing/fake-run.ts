import type { Device } from '../../core/model.ts';
import type { Ending, RunSpec } from '../../runtimes/contract/runtime.ts';
import type { FakeProcess } from './fake-process.ts';

/** A run of an instance on a machine: what is inside, and how it behaves. */
export class FakeRun {
  readonly pid: number;
  readonly spec: RunSpec;
  /** Devices inside, by name. */
  readonly devices: Map<string, Device>;
  /** Mount points that were made for devices. */
  readonly madePlaces = new Set<string>();
  readonly execs: FakeProcess[] = [];
  /** How often the guest API's folder is at /dev/lxd. */
  window: number;
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
    this.devices = new Map(Object.entries(spec.devices));
    this.window = spec.devlxd ? 1 : 0;
  }

  get isAlive(): boolean {
    return this.ending === null;
  }

  /** Names of interfaces on the host, by device. */
  get hostNames(): Record<string, string> {
    const nics = [...this.devices].filter(([, { type }]) => type === 'nic');
    return Object.fromEntries(nics.map(([name, nic]) => [name, nic['host_name'] ?? hostNameOf(this, name)]));
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

/** The name of a nic's interface on the host. */
export function hostNameOf({ pid }: Pick<FakeRun, 'pid'>, device: string): string {
  return `veth${pid}-${device}`;
}
