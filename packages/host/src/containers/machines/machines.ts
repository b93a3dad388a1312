import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../base/coded-error.ts';
import { RepeatedWork } from '../../base/repeated-work.ts';
import { profilesFor } from '../../core/machine-patterns.ts';
import type { Needs } from '../../instances/needs.ts';
import type { MachineRequest } from '../hook-request.ts';
import { FolderWatch } from './folder-watch.ts';
import { ticksOf } from './leader.ts';
import type { Machine } from './machined.ts';
import { type NspawnFolder, versionOf } from './nspawn-folder.ts';

/** The folders are watched, and read again in case the kernel has lost a notification. */
const READ_MS = 2_000;
/** The number of machines that the daemon asks for at the same time. */
const AT_ONCE = 8;

/** The parts of the daemon that machines need. */
export interface MachineParts {
  /** Says which machines to adopt because of their own settings. */
  readonly settings: NspawnFolder;
  /** The names and patterns of the machines to adopt because of profiles, by profile. */
  readonly patterns: () => ReadonlyMap<string, readonly string[]>;
  /** Folder in which machined has a file for each running machine. */
  readonly states: string;
  readonly ask: (name: string) => Promise<Machine>;
  /** Whether a process sees the guest API's mount. */
  readonly hasGuestApi: (pid: number) => Promise<boolean>;
  readonly adopt: (machine: MachineRequest) => Promise<void>;
  /** Makes callers that are not known yet wait until the work is done. */
  readonly whileStarting: <T>(work: () => Promise<T>) => Promise<T>;
  /** Called when the first machine or pattern to adopt appears, and when there is none left. */
  readonly follows: (on: boolean) => void;
}

/**
 * Adopts machines of systemd-nspawn when they appear. Each machine has a file from its registration until its end, in
 * the folder that sd_login_monitor_new(3) watches. This watches the same folder, and asks machined for the rest; see
 * docs/decisions/0019-machines-from-machineds-folder.md.
 */
export class Machines {
  readonly #parts: MachineParts;
  readonly #log: Needs<'log'>['log'];
  /** By machine: the version of its file for which the work is done, and the profiles that asked for it. */
  readonly #done = new Map<string, string>();
  readonly #busy = new Map<string, Promise<void>>();
  /** A notification during a reading causes another reading after it. */
  readonly #reading = new RepeatedWork(() => this.#readAll());
  /** Machines for which machined did not answer; each is logged once. */
  readonly #unknown = new Set<string>();
  readonly #watches: readonly FolderWatch[];
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #follows = false;
  #setUp: readonly string[] = [];

  constructor(parts: MachineParts, { log }: Needs<'log'>) {
    this.#parts = parts;
    this.#watches = [parts.settings.path, parts.states].map(
      (path) => new FolderWatch(path, () => this.#look()),
    );
    this.#log = log;
  }

  /** The machines to adopt because of their own settings, sorted, as they were last read. */
  get setUp(): readonly string[] {
    return this.#setUp;
  }

  /** Begins to adopt machines. @returns settles when the work for the machines that already ran is done */
  async begin(): Promise<void> {
    this.#timer = setInterval(() => this.#look(), READ_MS).unref();
    await this.#reading.run();
    await Promise.all(this.#busy.values());
  }

  /** Stops adopting machines. @returns settles when the work in progress has ended */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const each of this.#watches) each.stop();
    clearInterval(this.#timer);
    await this.#reading.end();
    await Promise.all(this.#busy.values());
  }

  #look(): void {
    void this.#reading.run().catch((error) => this.#log.error({ err: error }, 'the machines cannot be read'));
  }

  async #readAll(): Promise<void> {
    // The watches begin before the reading. So each change from now on causes another reading.
    for (const each of this.#watches) await each.refresh();
    const names = await this.#parts.settings.names();
    const patterns = this.#parts.patterns();
    const any = names.size > 0 || patterns.size > 0;
    this.#follow(any);
    this.#setUp = [...names].sort();
    if (any) await this.#startAll((name) => (names.has(name) ? null : profilesFor(name, patterns)));
  }

  #follow(on: boolean): void {
    if (on === this.#follows) return;
    this.#parts.follows(on);
    this.#follows = on;
    this.#log.debug({ on }, 'machines of systemd-nspawn are followed');
  }

  /** @param askedBy the profiles that ask for a machine; null if its own settings do */
  async #startAll(askedBy: (name: string) => readonly string[] | null): Promise<void> {
    const { states } = this.#parts;
    const present = new Map<string, readonly string[] | null>();
    for (const name of await readdir(states).catch(() => [])) {
      const profiles = askedBy(name);
      if (profiles?.length !== 0) present.set(name, profiles);
    }
    for (const known of [this.#done, this.#unknown])
      for (const name of known.keys()) if (!present.has(name)) known.delete(name);
    for (const [name, profiles] of present) {
      if (this.#busy.size >= AT_ONCE) break;
      const file = await versionOf(join(states, name));
      const version = `${file} ${profiles?.join() ?? ''}`;
      if (file !== '' && this.#done.get(name) !== version) this.#start(name, version, profiles);
    }
  }

  #start(name: string, version: string, profiles: readonly string[] | null): void {
    if (this.#busy.has(name)) return;
    // The callers wait from here on, also while the daemon asks machined. Before, they wait for a second at most.
    const work = this.#parts
      .whileStarting(() => this.#adopt(name, profiles))
      .then(
        () => void this.#done.set(name, version),
        (error) => {
          if (!this.#unknown.has(name))
            this.#log.warn({ machine: name, reason: messageOf(error) }, 'machined cannot be asked');
          this.#unknown.add(name);
          return 'later';
        },
      );
    this.#busy.set(
      name,
      work.then((result) => {
        this.#busy.delete(name);
        // If machined did not answer, the next look asks again.
        if (result !== 'later') this.#look();
      }),
    );
  }

  /** @throws Error if machined cannot be asked */
  async #adopt(name: string, profiles: readonly string[] | null): Promise<void> {
    const { ask, hasGuestApi, adopt, settings } = this.#parts;
    const { leader, registeredUs, isOfNspawn } = await ask(name);
    if (!isOfNspawn || leader === 0 || this.#stopped) return;
    try {
      // A machine that was started before its setup has no mount. It is adopted at its next start.
      if (profiles === null && !(await hasGuestApi(leader))) return;
      const subject = { of: 'nspawn', id: name, pid: leader, settings: settings.fileOf(name) } as const;
      const ticks = ticksOf(registeredUs, await readFile('/proc/uptime', 'utf8'));
      await adopt({ subject, ticks, profiles });
    } catch (error) {
      this.#log.warn({ machine: name, reason: messageOf(error) }, 'a machine was not adopted');
    }
  }
}
