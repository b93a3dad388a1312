import { adoptedInit, type ProcessName } from '../../core/adopted.ts';
import type { Config, Instance } from '../../core/entities.ts';
import { hostError } from '../../core/host-errors.ts';
import type { ExitWatch } from '../../native/exit-watch.ts';
import { AdoptedRuntime } from '../../runtimes/adopted/runtime.ts';
import type { LiveFacts } from '../../runtimes/contract/live.ts';
import type { Ending, Init, RunHandle, RunSpec } from '../../runtimes/contract/runtime.ts';
import type { Interfaces } from '../../runtimes/kernel/interfaces.ts';
import type { FakeMachine } from './fake-machine.ts';
import type { Life } from './life.ts';
import { LIVE_FACTS } from './live-facts.ts';

const BOOT_ID = '11111111-2222-4333-8444-555555555555';

/** The real runtime of adopted instances, with processes of a machine in memory. */
export class FakeAdopter extends AdoptedRuntime {
  readonly #machine: FakeMachine;
  readonly #life: Life;

  constructor(machine: FakeMachine, life: Life) {
    super({} as ExitWatch, {} as Interfaces, '/devlxd');
    this.#machine = machine;
    this.#life = life;
  }

  override nameOf(pid: number): ProcessName {
    const process = this.#machine.foreign.get(pid);
    if (!process?.isAlive) throw hostError('bad-request', `There is no process ${pid}`);
    return { pid, startTime: process.startTime, bootId: BOOT_ID };
  }

  override isRunning({ pid, startTime }: ProcessName): boolean {
    const process = this.#machine.foreign.get(pid);
    return process?.isAlive === true && process.startTime === startTime;
  }

  override ownerOf(pid: number): number {
    return this.#machine.foreign.get(pid)?.owner ?? 0;
  }

  override async showGuestApi({ pid }: ProcessName): Promise<boolean> {
    const process = this.#machine.foreign.get(pid);
    if (process?.refusesMounts) throw hostError('bad-request', 'something else is mounted there');
    if (!process || process.hasGuestApi) return false;
    process.hasGuestApi = true;
    return true;
  }

  override async hideGuestApi({ pid }: ProcessName): Promise<void> {
    const process = this.#machine.foreign.get(pid);
    if (process) process.hasGuestApi = false;
  }

  override async start({ config }: Pick<RunSpec, 'config'>): Promise<RunHandle> {
    const running = this.#hold(config);
    if (!running) throw hostError('bad-request', 'The process to adopt has ended');
    return running;
  }

  override recall({ config }: Pick<Instance, 'config'>): RunHandle | null {
    return this.#hold(config);
  }

  override async live({ pid }: Init): Promise<LiveFacts> {
    return { ...LIVE_FACTS, pid };
  }

  #hold(config: Config): RunHandle | null {
    const name = adoptedInit(config);
    const foreign = this.#machine.foreign.get(name?.pid ?? 0);
    if (!name || !foreign?.isAlive || foreign.startTime !== name.startTime) return null;
    const ended = Promise.withResolvers<Ending>();
    void foreign.ended.then(() => {
      if (!this.#life.over) ended.resolve('stop');
    });
    const init = { pid: name.pid, isAlive: () => foreign.isAlive, signal: () => {}, duplicate: () => -1 };
    return { init, hostNames: {}, ended: ended.promise, frozen: false, release: () => {} };
  }
}
