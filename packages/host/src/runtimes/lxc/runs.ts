import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { within } from '../../base/within.ts';
import type { ExitWatch } from '../../native/exit-watch.ts';
import type { PinnedProcess } from '../../native/pinned-process.ts';
import type { Ending, RunHandle } from '../contract/runtime.ts';
import { cgroupFolders, isFrozen, removeCgroups } from './cgroups.ts';
import { releaseMounts } from './host-mounts.ts';
import { readHostNames } from './host-names.ts';
import { waitingWrite } from './hung-write.ts';
import { pinInit, type RunProcesses } from './init.ts';
import { instancePaths } from './paths.ts';
import { releaseRoot } from './root-place.ts';
import { noteRun, type Recalled, recallRun } from './run-note.ts';
import { stopContainer } from './tools.ts';

/** How often, and how far apart, a start that a dead daemon began is checked before it counts as failed. */
const START_TRIES = 30;
const START_TRY_MS = 100;
/** How long LXC may take to take down a container whose init ended before the daemon started. */
const ENDING_MS_MAX = 10_000;
/** Interval of the check whether a monitor hangs after the end of its init. */
const HANG_LOOK_MS = 2_000;
const SIGKILL = 9;

/** Finds the runs of containers, including those that another daemon has started. */
export class LxcRuns {
  readonly #lxcPath: string;
  readonly #watch: ExitWatch;
  readonly #onHeld: (id: number, run: RunProcesses) => void;

  /** @param onHeld called for each run when it is held */
  constructor(lxcPath: string, watch: ExitWatch, onHeld: (id: number, run: RunProcesses) => void) {
    this.#lxcPath = lxcPath;
    this.#watch = watch;
    this.#onHeld = onHeld;
  }

  /** The run that LXC knows, noted for the next daemon; null when there is none. */
  async find(id: number): Promise<RunHandle | null> {
    const pinned = await pinInit(this.#lxcPath, id);
    if (!pinned) return null;
    const cgroups = cgroupsOfRun(id, pinned);
    noteRun(this.#paths(id).run, pinned, cgroups);
    return this.#held(id, pinned, cgroups);
  }

  /** The run as its note describes it; undefined when the note is not enough. */
  recall(id: number): RunHandle | null | undefined {
    const { starting, config, mounts, run } = this.#paths(id);
    if (existsSync(starting)) return undefined;
    // Mounts without a configuration are left from a first start that was interrupted.
    if (!existsSync(config)) return existsSync(mounts) ? undefined : null;
    const recalled = recallRun(run);
    if (recalled.kind === 'running') return this.#held(id, recalled, cgroupsOfRun(id, recalled));
    if (recalled.kind === 'ending') recalled.monitor.release();
    if (recalled.kind !== 'ended') return undefined;
    return this.#left(id, recalled.cgroups).length > 0 ? undefined : null;
  }

  /** Asks LXC, and removes what a daemon that died during a start has left. */
  async recover(id: number): Promise<RunHandle | null> {
    const paths = this.#paths(id);
    const { starting, mounts, run } = paths;
    const wasStarting = existsSync(starting);
    if (!wasStarting) await this.#awaitEnding(run);
    const running = wasStarting ? await this.#awaitStart(id) : await this.find(id);
    await releaseMounts(mounts);
    await releaseRoot(paths);
    const recalled = running ? null : recallRun(run);
    if (recalled?.kind === 'ended') await removeCgroups(this.#left(id, recalled.cgroups));
    if (recalled) releaseAll(recalled);
    await rm(starting, { force: true });
    return running;
  }

  /** The cgroups of a run that are still there because its monitor was killed: it would have noted the ending. */
  #left(id: number, cgroups: readonly string[]): readonly string[] {
    return this.lastEnding(id) === undefined ? cgroups.filter((folder) => existsSync(folder)) : [];
  }

  /** How the last run ended; undefined when nothing was noted. */
  lastEnding(id: number): Ending | undefined {
    const { ending } = this.#paths(id);
    if (!existsSync(ending)) return undefined;
    return readFileSync(ending, 'utf8') === 'reboot' ? 'reboot' : 'stop';
  }

  #paths(id: number) {
    return instancePaths(this.#lxcPath, id);
  }

  #held(id: number, { init, monitor }: RunProcesses, cgroups: readonly string[]): RunHandle {
    const release = () => {
      for (const process of [init, monitor]) process.release();
    };
    const ended = this.#ended(id, { init, monitor }, cgroups);
    this.#onHeld(id, { init, monitor });
    const { config } = this.#paths(id);
    return {
      ...{ init, ended, frozen: isFrozen(init.pid), release },
      // Read only for a run whose start is not stored.
      get hostNames() {
        return readHostNames(config);
      },
    };
  }

  /** The monitor ends after the init, when it has taken the run down and the stop hook has noted why. */
  async #ended(id: number, { init, monitor }: RunProcesses, cgroups: readonly string[]): Promise<Ending> {
    await this.#watch.exited(init);
    await this.#monitorEnded(monitor);
    const ending = this.lastEnding(id);
    if (ending !== undefined) return ending;
    // The monitor was killed before it could clean up after the run.
    await removeCgroups(cgroups);
    return 'stop';
  }

  /**
   * A monitor that writes input to the console waits until the guest reads it. If the guest has ended, the monitor
   * waits for ever. Then it is killed, and the run counts as stopped. A slow monitor continues.
   */
  async #monitorEnded(monitor: PinnedProcess): Promise<void> {
    const ended = this.#watch.exited(monitor);
    let before: string | null = null;
    while (!(await within(HANG_LOOK_MS, ended))) {
      // After the release of the monitor, nothing is known about it.
      if (!monitor.isAlive()) return ended;
      const now = waitingWrite(monitor.pid)?.wait ?? null;
      if (now !== null && now === before) monitor.signal(SIGKILL);
      before = now;
    }
  }

  /** A daemon ended while LXC was starting the instance: LXC goes on by itself, so it may run in a moment. */
  async #awaitStart(id: number): Promise<RunHandle | null> {
    if (!existsSync(this.#paths(id).config)) return null;
    for (let tries = 0; tries < START_TRIES; tries++) {
      const running = await this.find(id);
      if (running) return running;
      await sleep(START_TRY_MS);
    }
    await stopContainer(this.#lxcPath, id);
    return null;
  }

  /** An instance that LXC is taking down can neither be recognised nor be started again. */
  async #awaitEnding(note: string): Promise<void> {
    const recalled = recallRun(note);
    if (recalled.kind !== 'ending') return releaseAll(recalled);
    const { monitor } = recalled;
    await within(ENDING_MS_MAX, this.#monitorEnded(monitor));
    this.#watch.forget(monitor);
    monitor.release();
  }
}

function cgroupsOfRun(id: number, { init, monitor }: RunProcesses): string[] {
  return [init, monitor].flatMap(({ pid }) => cgroupFolders(pid, id));
}

function releaseAll(recalled: Recalled): void {
  if ('init' in recalled) recalled.init.release();
  if ('monitor' in recalled) recalled.monitor.release();
}
