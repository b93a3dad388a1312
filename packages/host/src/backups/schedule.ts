import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/coded-error.ts';
import type { Log } from '../base/log.ts';
import { startLongTimer } from '../base/long-timer.ts';
import type { Backups } from './backups.ts';

const MS_PER_MINUTE = 60_000;
/**
 * The first copy waits this long, because a daemon has other work after its start. It does not wait longer, because it
 * should be made before the daemon gives back the memory that its start has used.
 */
const FIRST_MS_MIN = MS_PER_MINUTE / 3;
/** Time to the next attempt after a failure: by then a full disk may have room, or a missing one may be back. */
const AGAIN_MS = 10 * MS_PER_MINUTE;

/**
 * How long to wait for the first copy after a start, in milliseconds.
 * @param newest when the newest copy was made, RFC 3339; null if there is none
 */
export function firstWait(newest: string | null, now: Date, minutes: number): number {
  const interval = minutes * MS_PER_MINUTE;
  const age = newest === null ? interval : now.getTime() - Date.parse(newest);
  // The time of the copy is in the future: the clock was set back, and the age of the copy is not known.
  return age < 0 ? interval : Math.max(FIRST_MS_MIN, interval - age);
}

/** How long to wait after a copy was made, or could not be made, in milliseconds. */
export function nextWait(hasFailed: boolean, minutes: number): number {
  const interval = minutes * MS_PER_MINUTE;
  return hasFailed ? Math.min(interval, AGAIN_MS) : interval;
}

/** Removes an unfinished copy of the last daemon, and makes copies from time to time. */
export class BackupSchedule {
  readonly #backups: Backups;
  readonly #clock: Clock;
  readonly #log: Log;
  #endWait: () => void = () => {};
  #isStopped = false;

  constructor(backups: Backups, clock: Clock, log: Log) {
    this.#backups = backups;
    this.#clock = clock;
    this.#log = log;
  }

  /** Begins; nothing waits for it. */
  async begin(): Promise<void> {
    const { minutes } = this.#backups.settings;
    try {
      const [newest] = await this.#backups.list({ clean: true });
      this.#wait(firstWait(newest?.createdAt ?? null, this.#clock.now(), minutes));
    } catch (error) {
      if (this.#isStopped) return;
      this.#log.warn({ reason: messageOf(error) }, 'the copies of the database could not be listed');
      this.#wait(nextWait(true, minutes));
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#endWait();
  }

  #wait(ms: number): void {
    if (this.#isStopped || this.#backups.settings.minutes === 0) return;
    this.#endWait = startLongTimer(ms, () => void this.#make());
  }

  async #make(): Promise<void> {
    const hasFailed = await this.#backups.create().then(
      () => false,
      () => true,
    );
    this.#wait(nextWait(hasFailed, this.#backups.settings.minutes));
  }
}
