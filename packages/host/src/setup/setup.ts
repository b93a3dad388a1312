import type { Place } from './edits.ts';

/** What happened to a file. `same`: it already had this text. `absent`: there was no file to remove. */
export interface Change {
  readonly path: string;
  readonly what: 'written' | 'same' | 'removed' | 'absent';
}

/** The result of a setup or of its removal. */
export interface Done {
  readonly changes: readonly Change[];
  /** What to type next; empty when there is nothing to do. */
  readonly next: string;
}

/** The argument of a setup that is for one container and not for all containers of its manager. */
export interface SetupArgument {
  /** For the usage line and tab completion. */
  readonly name: string;
  readonly about: string;
  /** Why a word is not valid; empty if it is valid. */
  whyNot(word: string): string;
  /** The file to write, if no other is given. */
  fileOf(word: string): string;
}

/** Configures one container manager. It may be repeated, also while containers run. */
export interface Setup {
  /** The word after `porthole setup`. */
  readonly name: string;
  /** The manager's name, for sentences. */
  readonly title: string;
  /** Whether `--required` is possible: without the daemon, containers do not start. */
  readonly canRequire: boolean;
  /** Sentences for the help: what it writes, and which containers become instances. */
  readonly about: string;
  readonly argument?: SetupArgument;
  /** The manager's configuration file, if no other is given; for the help if there is an argument. */
  readonly file: string;
  /** A command that starts a container, for the help. */
  readonly example: string;
  apply(place: Place, file: string): Promise<Done>;
  remove(place: Place, file: string): Promise<Done>;
  /** Whether the daemon reads the file too, and says in `machines` of GET /1.0 that it follows the argument. */
  readonly isFollowed?: true;
  /** Makes the manager read its file again; absent if it always does that. @returns a sentence about the result */
  reload?(file: string): Promise<string>;
}
