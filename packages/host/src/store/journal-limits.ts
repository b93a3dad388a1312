/** How many events the journal keeps, and for how long. */
export interface JournalLimits {
  /** The most events of all instances and of the host together, beside those that are sure. */
  readonly events: number;
  /** Events that each instance keeps, however many instances there are. */
  readonly sureEvents: number;
  /** The most events of one instance, so that one that changes all the time takes no room from others. */
  readonly instanceEvents: number;
  /** The greatest age, in days in which the journal was open. */
  readonly days: number;
}

export const DEFAULT_JOURNAL_LIMITS: JournalLimits = {
  events: 100_000,
  sureEvents: 100,
  instanceEvents: 5_000,
  days: 30,
};
