/** How much of the past is kept. */
export interface JournalLimits {
  /** Events of all instances and of the host. */
  readonly events: number;
  /** Events that belong to one instance, so that one that changes without end takes nothing from the others. */
  readonly instanceEvents: number;
  /** Days for which the journal was open. */
  readonly days: number;
}

export const DEFAULT_JOURNAL_LIMITS: JournalLimits = { events: 100_000, instanceEvents: 5_000, days: 30 };
