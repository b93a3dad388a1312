import { type Linked, LinkedQueue } from './linked-queue.ts';

/** A connection that stands in line, or may. */
export interface Waiting extends Linked<Waiting> {
  readonly group: { readonly turnShare: TurnShare };
  waits: boolean;
}

/** Callers that share one turn: all of one instance, or all that are in none. */
export class TurnShare implements Linked<TurnShare> {
  /** Connections that wait for their turn. */
  readonly waiting = new LinkedQueue<Waiting>();
  next: TurnShare | undefined;
  /** What is left of its turn; below zero, it has taken more than that, and waits for as many rounds. */
  leftUs = 0;
}
