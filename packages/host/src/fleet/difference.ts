import { filterInSlices, mapInSlices } from '../base/slices.ts';
import { mirrorKeyOf } from '../core/mirror.ts';
import { type SharedChange, sharedImageOf, sharedPartOf } from '../core/shared.ts';
import type { Model } from '../model/model.ts';
import type { SharedState } from '../store/shared-store.ts';
import type { Mirror } from './mirror.ts';

/** Every object of a state, as the change that makes it. */
export function putsOf(state: SharedState): SharedChange[] {
  const holders = [...state.holders].flatMap(([fingerprint, members]) =>
    [...members].map((member): SharedChange => ({ kind: 'put-holder', fingerprint, member })),
  );
  return [
    ...[...state.members.values()].map((member): SharedChange => ({ kind: 'put-member', member })),
    ...[...state.alive].map(([member, run]): SharedChange => ({ kind: 'put-alive', member, run })),
    ...[...state.profiles.values()].map((profile): SharedChange => ({ kind: 'put-profile', profile })),
    ...[...state.images.values()].map((image): SharedChange => ({ kind: 'put-image', image })),
    ...[...state.aliases.values()].map((alias): SharedChange => ({ kind: 'put-alias', alias })),
    ...[...state.instances.values()].map((instance): SharedChange => ({ kind: 'put-instance', instance })),
    ...holders,
  ];
}

/** Every shared object that is known here, as the change that makes it. Nothing may change them meanwhile. */
export async function knownPuts(model: Model, mirror: Mirror): Promise<SharedChange[]> {
  const { instances, profiles, images, aliases } = model.state;
  const { member } = mirror.fleet;
  return [
    ...mirror.puts.values(),
    ...[...profiles.values()].map((profile): SharedChange => ({ kind: 'put-profile', profile })),
    ...[...images.values()].map(
      (image): SharedChange => ({ kind: 'put-image', image: sharedImageOf(image) }),
    ),
    ...[...aliases.values()].map((alias): SharedChange => ({ kind: 'put-alias', alias })),
    ...(await mapInSlices(
      [...instances.values()],
      (instance): SharedChange => ({ kind: 'put-instance', instance: sharedPartOf(instance, member) }),
    )),
  ];
}

/** The changes that lead from what is known to another state, as if they had been made at once; found in slices. */
export async function difference(
  known: readonly SharedChange[],
  wanted: readonly SharedChange[],
): Promise<SharedChange[]> {
  const before = new Map(known.map((put) => [mirrorKeyOf(put), put]));
  const names = new Set(wanted.map(mirrorKeyOf));
  const gone = [...before].filter(([key]) => !names.has(key)).map(([, put]) => deletionOf(put));
  const changed = await filterInSlices(wanted, (put) => !isSame(before.get(mirrorKeyOf(put)), put));
  // What is used comes before its users, and goes after them.
  return [...changed, ...gone.reverse()];
}

/** Whether two objects are equal. The order of their entries does not count. */
export function isSame(one: SharedChange | undefined, other: SharedChange): boolean {
  return one !== undefined && JSON.stringify(one, inOrder) === JSON.stringify(other, inOrder);
}

function inOrder(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** The deletion of what a change puts. */
export function deletionOf(put: SharedChange): SharedChange {
  switch (put.kind) {
    case 'put-instance':
      return { kind: 'delete-instance', name: put.instance.name };
    case 'put-profile':
      return { kind: 'delete-profile', name: put.profile.name };
    case 'put-image':
      return { kind: 'delete-image', fingerprint: put.image.fingerprint };
    case 'put-alias':
      return { kind: 'delete-alias', name: put.alias.name };
    case 'put-member':
      return { kind: 'delete-member', name: put.member.name };
    case 'put-alive':
      return { kind: 'delete-alive', member: put.member };
    case 'put-holder':
      return { kind: 'delete-holder', fingerprint: put.fingerprint, member: put.member };
    default:
      return put;
  }
}
