/** What the program `copy-child.ts` has to do, as JSON in its argument. */
export type Order =
  | {
      readonly verb: 'create';
      /** Path of the database's file, which is copied byte for byte. */
      readonly database: string;
      readonly folder: string;
      readonly directoryId: string;
      /** Name of the copy. */
      readonly name: string;
      /** Maximum number of copies that stay. */
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
 * A line that the program prints, as JSON. After `ready` and after `copied` it waits for a line on its standard input.
 * If its input ends, it ends without a copy: only the daemon knows whether the file was still.
 */
export type Told =
  | { readonly step: 'ready' }
  | { readonly step: 'copying'; readonly percent: number }
  | { readonly step: 'copied' }
  | { readonly step: 'done'; readonly copies: readonly Copy[] };
