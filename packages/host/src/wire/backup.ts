/** A copy of the database. */
export interface CopyJson {
  readonly name: string;
  /** RFC 3339. */
  readonly created_at: string;
  /** Bytes. */
  readonly size: number;
}

/** How copies of the database are made; in GET /1.0 too. */
export interface BackupStateJson {
  readonly folder: string;
  /** Minutes between two copies; 0: only operators make them. */
  readonly minutes: number;
  /** The most copies that are kept. */
  readonly count: number;
  /** Why the last copy could not be made, and when that was; null if it was made, or none was tried. */
  readonly failure: { readonly at: string; readonly reason: string } | null;
}

/** The metadata of GET /1.0/backups (Porthole addition). */
export type BackupsJson = BackupStateJson & { readonly copies: readonly CopyJson[] };
