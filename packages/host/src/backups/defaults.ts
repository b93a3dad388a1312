/** A copy each hour, for a day. */
export const DEFAULT_BACKUPS = { minutes: 60, count: 24 } as const;
