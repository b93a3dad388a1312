import type { Random } from './random.ts';

/** What is tried. */
export interface Case {
  readonly bytes: Buffer;
  /** Places where the bytes are cut into writes of their own, ascending. */
  readonly cuts: readonly number[];
}

/** A part of the daemon, opened, to be tried with cases. */
export interface Target extends AsyncDisposable {
  /**
   * Tries a case and checks all that has to hold.
   * @returns what was reached, in a few words that do not depend on time: a case that reaches something else is kept
   * @throws Finding
   */
  run(sample: Case): Promise<string>;
  /** Checks, with no case under way, that nothing is left of the earlier ones. @throws Finding */
  settle?(): Promise<void>;
}

/** A kind of target, and how cases for it are made. */
export interface TargetKind {
  readonly name: TargetName;
  /** Cases of the short form. */
  readonly shortCases: number;
  open(): Promise<Target>;
  /** Makes a case, mostly out of the ones that are there. */
  make(random: Random, corpus: readonly Case[]): Case | Promise<Case>;
}

export const TARGET_NAMES = ['guest', 'host', 'archives', 'websocket', 'lane'] as const;
export type TargetName = (typeof TARGET_NAMES)[number];

/** Something that must not be. Its message is the same each time the same thing happens. */
export class Finding extends Error {
  /** More about this one time. */
  readonly detail: string;

  constructor(message: string, detail = '') {
    super(message);
    this.name = 'Finding';
    this.detail = detail;
  }
}

/** @throws Finding unless it holds */
export function mustHold(holds: boolean, message: string, detail = ''): asserts holds {
  if (!holds) throw new Finding(message, detail);
}
