/** How many events the journal keeps, and for how long. */
export interface JournalLimits {
  /** Maximum number of events of all instances and the host together. The sure events of many instances may be more. */
  readonly events: number;
  /** How many of its newest events each instance keeps in any case. */
  readonly sureEvents: number;
  /** Maximum number of events of one instance. So an instance that changes all the time takes no room from others. */
  readonly instanceEvents: number;
  /** Maximum age, in days; only the time in which the journal was open counts. */
  readonly days: number;
}

export const DEFAULT_JOURNAL_LIMITS: JournalLimits = {
  events: 100_000,
  sureEvents: 100,
  instanceEvents: 5_000,
  days: 30,
};

/** Events that a commit drops beyond the number that it adds: it must not wait for a long clean-up. */
export const DROPPED_PER_COMMIT_MAX = 1_000;
/**
 * Events dropped of the largest owner at a time, even if it has hardly more than the next one: each search
 * for the largest goes over all owners.
 */
export const DROPPED_PER_LOOK = 32;
/** Events of deleted instances dropped at a time: few enough for the log of a full disk. */
export const FORGOTTEN_AT_ONCE = 64;
/** While the disk is short of room, each new event replaces this many old ones of the same owner. */
export const DROPPED_FOR_ONE = 2;
/** Events dropped at a time while nothing else is written: few enough for a turn of some milliseconds. */
export const DROPPED_WHILE_IDLE = 500;
