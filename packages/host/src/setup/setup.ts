import type { Place } from './edits.ts';

/** What happened to a file: `same` had the text already, `absent` was not there to remove. */
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

/** Which container a setup is for, if it is not for all of its manager. */
export interface SetupArgument {
  /** For the usage line and tab completion. */
  readonly name: string;
  readonly about: string;
  /** Why a word cannot be it; empty if it can. */
  whyNot(word: string): string;
  /** The file to write, if no other is given. */
  fileOf(word: string): string;
}

/** Tells one container manager of Porthole. It may be repeated, also while containers run. */
export interface Setup {
  /** The word after `porthole setup`. */
  readonly name: string;
  /** The manager's name, for sentences. */
  readonly title: string;
  /** Whether containers can be kept from starting while the daemon does not run. */
  readonly canRequire: boolean;
  /** Sentences for the help: what it writes, and what containers have to say. */
  readonly about: string;
  readonly argument?: SetupArgument;
  /** The manager's configuration file, if no other is given; for the help if there is an argument. */
  readonly file: string;
  /** The command that follows, for the help. */
  readonly example: string;
  apply(place: Place, file: string): Promise<Done>;
  remove(place: Place, file: string): Promise<Done>;
  /** Makes the manager read its file again; absent if it always does. @returns what was done, as a sentence */
  reload?(file: string): Promise<string>;
}
