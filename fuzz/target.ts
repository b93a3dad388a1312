import type { Random } from './random.ts';

/** Input for a target. */
export interface Case {
  readonly bytes: Buffer;
  /** Places where the bytes are split into separate writes, ascending. */
  readonly cuts: readonly number[];
}

/** A running part of the daemon that is tried with cases. */
export interface Target extends AsyncDisposable {
  /**
   * Tries a case and checks all rules.
   * @returns the outcome, in a few words that do not depend on time; a case with a new outcome is kept
   * @throws Finding
   */
  run(sample: Case): Promise<string>;
  /** Checks between cases that nothing is left of the earlier ones. @throws Finding */
  settle?(): Promise<void>;
}

/** A kind of target, and how its cases are made. */
export interface TargetKind {
  readonly name: TargetName;
  /** Number of cases in a short run. */
  readonly shortCases: number;
  open(): Promise<Target>;
  /** Makes a case, mostly out of those of the corpus. */
  make(random: Random, corpus: readonly Case[]): Case | Promise<Case>;
}

export const TARGET_NAMES = ['guest', 'host', 'archives', 'websocket', 'lane'] as const;
export type TargetName = (typeof TARGET_NAMES)[number];

/** A broken rule. The same defect has the same message each time. */
export class Finding extends Error {
  /** More about this one occurrence. */
  readonly detail: string;

  constructor(message: string, detail = '') {
    super(message);
    this.name = 'Finding';
    this.detail = detail;
  }
}

/** @throws Finding unless `holds` */
export function mustHold(holds: boolean, message: string, detail = ''): asserts holds {
  if (!holds) throw new Finding(message, detail);
}
