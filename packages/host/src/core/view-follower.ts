import type { GuestView } from './view.ts';

/** Something that answers from copies of the views: the fast lane. */
export interface ViewFollower {
  /** Views have changed: when this returns, every later answer is from the new ones. */
  changed(views: readonly GuestView[]): void;
  /** Takes views of a large change, which no answer is made from yet; later ones of an instance replace earlier. */
  prepare(views: readonly GuestView[]): void;
  /** Resolves when it has taken everything that it was given. */
  caughtUp(): Promise<void>;
  /**
   * The prepared views count from now on, all at once; when this returns, every later answer is from them.
   * @param views those that have changed since, or were not prepared
   * @param viewOf gives any view of the change
   */
  swap(views: readonly GuestView[], viewOf: (instanceId: number) => GuestView | undefined): void;
  /** Forgets the prepared views. */
  forget(): void;
}
