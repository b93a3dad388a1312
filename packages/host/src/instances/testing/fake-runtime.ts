import type { Readable } from 'node:stream';
import type { Addition, Config, Device, Devices, Instance } from '../../core/entities.ts';
import { hostError } from '../../core/host-errors.ts';
import type { HostIds } from '../../core/host-ids.ts';
import type { LiveLimit } from '../../core/limits.ts';
import type { ConsoleFiles, ConsoleRequest } from '../../runtimes/contract/console.ts';
import type { ExecProcess, ExecRequest } from '../../runtimes/contract/exec.ts';
import type { LiveFacts } from '../../runtimes/contract/live.ts';
import type {
  DeviceTarget,
  Ending,
  FileRequest,
  FilesTarget,
  FileWork,
  Init,
  RunHandle,
  RunSpec,
  Runtime,
} from '../../runtimes/contract/runtime.ts';
import type { FakeMachine } from './fake-machine.ts';
import { FakeProcess } from './fake-process.ts';
import { type FakeRun, newHostName } from './fake-run.ts';
import type { Life } from './life.ts';
import { LIVE_FACTS } from './live-facts.ts';

const CONSOLE = {
  command: [],
  environment: {},
  interactive: true,
  user: 0,
  group: 0,
  cwd: '',
  waitForWebsocket: true,
};

/** The runtime of one daemon on a fake machine, whose state it changes and tests look at. */
export class FakeRuntime implements Runtime {
  readonly driver = 'lxc';
  readonly owns = true;
  readonly machine: FakeMachine;
  readonly #life: Life;
  readonly #runs = new Map<Init, FakeRun>();
  /** The processes of the next execs, if a test needs them beforehand. */
  readonly nextProcesses: FakeProcess[] = [];
  /** The path of an instance's log; null if there is none. */
  logPath: (id: number) => string | null = () => null;
  /** The files of an instance's console; null if there are none. */
  consoleFiles: (id: number) => ConsoleFiles | null = () => null;

  constructor(machine: FakeMachine, life: Life) {
    this.machine = machine;
    this.#life = life;
  }

  checkAction(): void {}

  async driverVersion(): Promise<string> {
    return '5.0.2';
  }

  hostIds(config: Config): HostIds {
    const uid = config['security.privileged'] === 'true' ? 0 : 100_000;
    return { uid, gid: uid };
  }

  create(id: number): Promise<void> {
    return this.#act('create', id, () => void this.machine.folders.add(id));
  }

  remove(id: number): Promise<void> {
    return this.#act('remove', id, () => void this.machine.folders.delete(id));
  }

  start(spec: RunSpec): Promise<RunHandle> {
    return this.#act('start', spec.id, () => this.#hold(this.machine.begin(spec)));
  }

  recall({ id }: Pick<Instance, 'id'>): RunHandle | null | undefined {
    this.machine.faults.check('recall', String(id));
    return this.machine.notes ? this.#held(id) : undefined;
  }

  recover({ id }: Pick<Instance, 'id'>): Promise<RunHandle | null> {
    return this.#act('recover', id, () => this.#held(id));
  }

  lastEnding(id: number): Ending | undefined {
    return this.machine.endings.get(id);
  }

  halt(init: Init): void {
    const run = this.#runOf(init);
    this.machine.faults.check('halt', String(run.spec.id));
    if (!this.#life.over) run.ask();
  }

  kill(init: Init): void {
    if (!this.#life.over) this.#runOf(init).kill();
  }

  checkConfig(config: Config): void {
    for (const key of Object.keys(config)) this.machine.faults.check('checkConfig', key);
  }

  setFrozen(id: number, frozen: boolean): Promise<void> {
    return this.#act('setFrozen', id, () => {
      const run = this.machine.runs.get(id);
      if (!run) throw hostError('runtime-failed', 'it does not run');
      run.setFrozen(frozen);
    });
  }

  checkStart(devices: Devices): void {
    for (const { parent } of Object.values(devices))
      if (parent) this.machine.faults.check('checkStart', parent);
  }

  checkDevice(name: string, _device: Device): Promise<void> {
    return this.#act('checkDevice', name, () => {});
  }

  foresee({ id, name, device, init }: DeviceTarget): Promise<Addition> {
    return this.#act('foresee', [name, `${id}/${name}`], () => {
      const created = !this.#runOf(init).places.has(device['path'] ?? '');
      if (device['type'] !== 'nic') return { name, device, created };
      const named = { ...device, host_name: device['host_name'] ?? newHostName() };
      return { name, device: named, created: true };
    });
  }

  withdraw({ id, name, device, init }: DeviceTarget, { created }: Addition): Promise<void> {
    const hostName = device['host_name'];
    const made = { created, ...(hostName ? { hostName } : {}) };
    return this.#act('withdraw', [name, `${id}/${name}`], () => this.#runOf(init).unplug(name, device, made));
  }

  attach({ id, name, device, init }: DeviceTarget): Promise<{ created: boolean; hostName?: string }> {
    return this.#act('attach', [name, `${id}/${name}`], () => {
      const run = this.#runOf(init);
      if (run.devices.has(name)) throw hostError('runtime-failed', `${name} is there already`);
      return run.plug(name, device);
    });
  }

  detach(
    { id, name, device, init }: DeviceTarget,
    made: { created: boolean; hostName?: string },
  ): Promise<void> {
    return this.#act('detach', [name, `${id}/${name}`], () => this.#runOf(init).unplug(name, device, made));
  }

  updateDevice({ id, name, device, init }: DeviceTarget, hostName: string): Promise<void> {
    return this.#act('updateDevice', [name, `${id}/${name}`], () => {
      const run = this.#runOf(init);
      if (run.hostNames[name] !== hostName) throw hostError('runtime-failed', `no interface ${hostName}`);
      run.devices.set(name, device);
    });
  }

  attachMissing({ id, name, device, init }: DeviceTarget): Promise<void> {
    return this.#act('attachMissing', [name, `${id}/${name}`], () => {
      const run = this.#runOf(init);
      if (run.devices.has(name)) run.devices.set(name, device);
      else run.plug(name, device);
    });
  }

  setGuestApiMount(init: Init, _config: Config, shown: boolean): Promise<void> {
    const run = this.#runOf(init);
    return this.#act('setGuestApiMount', run.spec.id, () => {
      run.guestApiMounts = shown ? 1 : 0;
    });
  }

  setLimits(init: Init, config: Config, keys: readonly LiveLimit[]): Promise<void> {
    const run = this.#runOf(init);
    return this.#act('setLimits', run.spec.id, () => {
      for (const key of keys) run.limits.set(key, config[key]);
    });
  }

  setRootSize(id: number, bytes: number): Promise<void> {
    return this.#act('setRootSize', id, () => void this.machine.rootSizes.set(id, bytes));
  }

  exec(id: number, request: ExecRequest): Promise<ExecProcess> {
    return this.#act('exec', id, () => {
      const process = this.nextProcesses.shift() ?? new FakeProcess(request);
      this.machine.runs.get(id)?.execs.push(process);
      return process;
    });
  }

  console(id: number, _init: Init, request: ConsoleRequest): Promise<ExecProcess> {
    return this.#act('console', id, () => {
      const process = this.nextProcesses.shift() ?? new FakeProcess({ ...CONSOLE, ...request });
      this.machine.runs.get(id)?.execs.push(process);
      return process;
    });
  }

  async files({ id }: FilesTarget, request: FileRequest, input: Readable | null): Promise<FileWork> {
    const found = this.#act('files', id, () => this.machine.treeOf(id).work(request, input));
    const ended = found.then(
      () => this.#act('filesEnd', id, () => {}),
      () => {},
    );
    return { found, ended };
  }

  live(init: Init): Promise<LiveFacts> {
    const run = this.#runOf(init);
    return this.#act('live', run.spec.id, () => ({ ...LIVE_FACTS, pid: run.pid }));
  }

  #act<T>(verb: string, subject: string | string[] | number, work: () => T | Promise<T>): Promise<T> {
    const subjects = typeof subject === 'number' ? String(subject) : subject;
    return this.machine.faults.act(this.#life, verb, subjects, work);
  }

  #held(id: number): RunHandle | null {
    const run = this.machine.runs.get(id);
    return run ? this.#hold(run) : null;
  }

  #hold(run: FakeRun): RunHandle {
    let released = false;
    const isAlive = () => !released && run.isAlive;
    const signal = () => {
      if (isAlive()) run.kill();
    };
    const init: Init = { pid: run.pid, isAlive, signal, duplicate: () => -1 };
    this.#runs.set(init, run);
    run.holders++;
    const ended = Promise.withResolvers<Ending>();
    run.onEnd((ending) => {
      if (!this.#life.over) ended.resolve(ending);
    });
    const release = () => {
      if (!released) run.holders--;
      released = true;
    };
    return { init, hostNames: run.hostNames, ended: ended.promise, frozen: run.frozen, release };
  }

  #runOf(init: Init): FakeRun {
    const run = this.#runs.get(init);
    if (!run) throw new Error('this init is not held by its runtime');
    return run;
  }
}
