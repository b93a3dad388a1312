import type { State } from '../core/entities.ts';
import { type SharedChange, sharedImageOf, sharedPartOf } from '../core/shared.ts';
import { MutableSharedState } from '../store/shared-state.ts';
import type { SharedCommit, SharedState } from '../store/shared-store.ts';

/** Objects in one commit. */
export const AT_ONCE = 20;

/** The member of a single host's instances. */
const NO_MEMBER = '';

/** Limits of one commit, below those of etcd: objects together with those that they use, and bytes of the objects. */
const STEPS_MAX = 100;
const BYTES_MAX = 1_000_000;

/** What a single host has of what members share. */
export function ownState({ instances, profiles, images, aliases }: State): SharedState {
  const state = new MutableSharedState();
  for (const profile of profiles.values()) state.apply({ kind: 'put-profile', profile });
  for (const image of images.values()) state.apply({ kind: 'put-image', image: sharedImageOf(image) });
  for (const alias of aliases.values()) state.apply({ kind: 'put-alias', alias });
  for (const each of instances.values())
    state.apply({ kind: 'put-instance', instance: sharedPartOf(each, NO_MEMBER) });
  return state;
}

/** What a host brings into the fleet: everything that the fleet does not have, in the order in which it is used. */
export function broughtBy(own: SharedState, fleet: SharedState, member: string): SharedChange[] {
  const images = [...own.images.values()];
  return [
    ...[...own.profiles.values()]
      .filter(({ name }) => !fleet.profiles.has(name))
      .map((profile): SharedChange => ({ kind: 'put-profile', profile })),
    ...images
      .filter(({ fingerprint }) => !fleet.images.has(fingerprint))
      .map((image): SharedChange => ({ kind: 'put-image', image })),
    ...images.map(({ fingerprint }): SharedChange => ({ kind: 'put-holder', fingerprint, member })),
    ...[...own.aliases.values()]
      .filter(({ name }) => !fleet.aliases.has(name))
      .map((alias): SharedChange => ({ kind: 'put-alias', alias })),
    ...[...own.instances.values()].map(
      (instance): SharedChange => ({ kind: 'put-instance', instance: { ...instance, member } }),
    ),
  ];
}

/** What the fleet has of this member from an earlier time, and the host no longer has. */
export function leftOf(own: SharedState, fleet: SharedState, member: string): SharedChange[] {
  const instances = [...fleet.instances.values()].filter(
    (each) => each.member === member && !own.instances.has(each.name),
  );
  const holders = [...fleet.holders].filter(
    ([fingerprint, members]) => members.has(member) && !own.images.has(fingerprint),
  );
  return takenBy(
    instances.map(({ name }) => name),
    holders.map(([fingerprint]) => fingerprint),
    member,
  );
}

/** What leaves the fleet with a member: the records of its instances, and those that say whose files it has. */
export function takenBy(
  instances: Iterable<string>,
  holders: Iterable<string>,
  member: string,
): SharedChange[] {
  return [
    ...[...instances].map((name): SharedChange => ({ kind: 'delete-instance', name })),
    ...[...holders].map((fingerprint): SharedChange => ({ kind: 'delete-holder', fingerprint, member })),
  ];
}

/** What a change relies on: the profiles of instances, the images of aliases, and those of which a member has files. */
export function usesOf(changes: readonly SharedChange[]): SharedCommit['uses'] {
  const uses = changes.flatMap((change): SharedCommit['uses'] => {
    if (change.kind === 'put-alias') return [{ kind: 'image', name: change.alias.target }];
    if (change.kind === 'put-holder') return [{ kind: 'image', name: change.fingerprint }];
    if (change.kind !== 'put-instance') return [];
    return change.instance.profiles.map((name) => ({ kind: 'profile', name }));
  });
  return [...new Map(uses.map((key) => [`${key.kind} ${key.name}`, key])).values()];
}

/**
 * Changes in their order, some for each commit. A change that is too large for etcd is alone in its commit, which is
 * refused.
 */
export function chunksOf(changes: readonly SharedChange[]): (readonly SharedChange[])[] {
  const chunks: (readonly SharedChange[])[] = [];
  let chunk: SharedChange[] = [];
  let bytes = 0;
  const isFull = (change: SharedChange, more: number) =>
    chunk.length === AT_ONCE ||
    bytes + more > BYTES_MAX ||
    chunk.length + 1 + usesOf([...chunk, change]).length > STEPS_MAX;
  for (const change of changes) {
    const more = Buffer.byteLength(JSON.stringify(change));
    if (chunk.length > 0 && isFull(change, more)) {
      chunks.push(chunk);
      [chunk, bytes] = [[], 0];
    }
    chunk.push(change);
    bytes += more;
  }
  return chunk.length > 0 ? [...chunks, chunk] : chunks;
}
