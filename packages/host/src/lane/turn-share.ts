import { type Linked, LinkedQueue } from './linked-queue.ts';

/** A connection that waits for its turn, or may. */
export interface Waiting extends Linked<Waiting> {
  readonly group: { readonly turnShare: TurnShare };
  waits: boolean;
}

/** Callers that share one turn: all of one instance, or all that are in none. */
export class TurnShare implements Linked<TurnShare> {
  /** Connections that wait for their turn. */
  readonly waiting = new LinkedQueue<Waiting>();
  next: TurnShare | undefined;
  /** Microseconds left of its turn. Below zero it has used more than its turn, and waits for more rounds. */
  leftUs = 0;
}
