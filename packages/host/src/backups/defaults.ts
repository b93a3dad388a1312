/** A copy each hour, for two days. */
export const DEFAULT_BACKUPS = { minutes: 60, count: 48 } as const;
