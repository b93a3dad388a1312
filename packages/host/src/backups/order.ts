/** What the program `copy-child.ts` is told to do, as JSON in its argument. */
export type Order =
  | {
      readonly verb: 'create';
      /** Path of the database, which is copied as it lies on the disk. */
      readonly database: string;
      readonly folder: string;
      readonly directoryId: string;
      /** Name of the copy. */
      readonly name: string;
      /** How many copies stay. */
      readonly count: number;
    }
  | {
      readonly verb: 'list';
      readonly folder: string;
      readonly directoryId: string;
      /** Whether unfinished copies are removed first. */
      readonly clean: boolean;
    };

/** A copy of the database. */
export interface Copy {
  readonly name: string;
  /** When it was begun, RFC 3339. */
  readonly createdAt: string;
  readonly bytes: number;
}

/**
 * A line that the program prints, as JSON. After `ready` and after `copied` it waits for a line of its standard input,
 * and ends without a copy if there is none: only the daemon knows whether the file stayed still.
 */
export type Told =
  | { readonly step: 'ready' }
  | { readonly step: 'copying'; readonly percent: number }
  | { readonly step: 'copied' }
  | { readonly step: 'done'; readonly copies: readonly Copy[] };
