import type { SharedChange } from '../../core/shared.ts';
import { type Replica, textOf } from './replica.ts';
import { type CommittedKind, nameOf, SAMPLES } from './samples.ts';

/** The hosts of a test: two that use the store. */
export interface Hosts {
  readonly a: Replica;
  readonly b: Replica;
  /** The kinds of objects that the store keeps. */
  readonly kinds: readonly CommittedKind[];
}

/** To be called in a test: each has hosts of its own. */
export type GetHosts = () => Hosts;

/** The change that puts an object of a kind with a value. */
export const put = (kind: CommittedKind, number: number, value: string): SharedChange =>
  SAMPLES[kind].put(nameOf(kind, number), value);

/** The change that deletes it. */
export const drop = (kind: CommittedKind, number: number): SharedChange =>
  SAMPLES[kind].drop(nameOf(kind, number));

/** Waits until both hosts know all that the store has. */
export async function agree(a: Replica, b: Replica): Promise<void> {
  const { state } = await a.store.load();
  const expected = textOf(state);
  for (const each of [a, b]) await each.until(() => textOf(each.state) === expected);
}

/** The error of a commit that another one came before. */
export const CHANGED_MEANWHILE = { code: 'changed-meanwhile', status: 409 };
