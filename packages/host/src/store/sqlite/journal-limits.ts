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
