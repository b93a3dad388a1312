import { Line, type Linked } from './line.ts';

/** A connection that stands in line, or may. */
export interface Waiting extends Linked<Waiting> {
  readonly group: { readonly party: Party };
  waits: boolean;
}

/** Callers that share one turn: all of one instance, or all that are in none. */
export class Party implements Linked<Party> {
  /** Connections that wait for their turn. */
  readonly waiting = new Line<Waiting>();
  next: Party | undefined;
  /** What is left of its turn; below zero, it has taken more than that, and waits for as many rounds. */
  leftUs = 0;
}
