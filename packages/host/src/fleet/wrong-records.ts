import { mirrorKeyOf } from '../core/mirror.ts';
import type { Member, SharedChange } from '../core/shared.ts';
import type { Model } from '../model/model.ts';
import type { Mirror } from './mirror.ts';

/**
 * The keys of records that are not as this host knows its instances, after changes that it has not made itself: an
 * instance that the fleet has deleted, one that is not here or has a profile that does not exist, or one of another member
 * with the name of one here; a deleted profile that instances here use; files of images that are here; and the host itself,
 * which has begun to leave and stays.
 */
export function wrongAfter(changes: readonly SharedChange[], model: Model, member: string): string[] {
  return changes.flatMap((change) => {
    if (change.kind === 'delete-instance') return model.isOwn(change.name) ? [mirrorKeyOf(change)] : [];
    if (change.kind === 'delete-holder')
      return change.member === member && model.state.images.has(change.fingerprint)
        ? [mirrorKeyOf(change)]
        : [];
    if (change.kind === 'put-member') return isHalfGone(change.member, member) ? [mirrorKeyOf(change)] : [];
    if (change.kind === 'delete-profile')
      return model.usersOf(change.name).length > 0 ? [mirrorKeyOf(change)] : [];
    if (change.kind !== 'put-instance') return [];
    if (change.instance.member !== member)
      return model.isOwn(change.instance.name) ? [mirrorKeyOf(change)] : [];
    const here = model.instanceById(change.instance.id);
    const isWhole = change.instance.profiles.every((name) => model.state.profiles.has(name));
    return here?.name === change.instance.name && isWhole ? [] : [mirrorKeyOf(change)];
  });
}

function isHalfGone({ name, state }: Member, own: string): boolean {
  return name === own && state === 'leaving';
}

/** What a host does to use another history. */
export interface Kept {
  /** Changes that it applies here. */
  readonly changes: readonly SharedChange[];
  /** Keys of records that the fleet does not have as this host has them. */
  readonly wrong: readonly string[];
}

/**
 * Splits the changes that lead to a history that replaces the known one, such as that of a restored store. This host
 * knows its own instances better, so it keeps them, profiles that they use, images whose files are here, and aliases of
 * these images.
 * @param changes that lead from what is known to that history
 */
export function keptFrom(changes: readonly SharedChange[], model: Model, mirror: Mirror): Kept {
  const { member } = mirror.fleet;
  const used = new Set([...model.state.instances.values()].flatMap(({ profiles }) => profiles));
  const held = (fingerprint: string) => mirror.holdersOf(fingerprint).has(member);
  const isKept = (change: SharedChange): boolean => {
    switch (change.kind) {
      case 'put-instance':
        return change.instance.member === member;
      case 'delete-instance':
        return model.isOwn(change.name);
      case 'delete-profile':
        return used.has(change.name);
      case 'delete-image':
        return held(change.fingerprint);
      case 'delete-holder':
        return change.member === member && model.state.images.has(change.fingerprint);
      case 'delete-alias':
        return held(model.state.aliases.get(change.name)?.target ?? '');
      default:
        return false;
    }
  };
  // In that history the name is that of an own instance again. Until now, one of another member had it.
  const instead = (change: SharedChange): SharedChange[] =>
    change.kind === 'put-instance' && mirror.others.has(change.instance.name)
      ? [{ kind: 'delete-instance', name: change.instance.name }]
      : [];
  return {
    changes: changes.flatMap((change) => (isKept(change) ? instead(change) : change)),
    wrong: changes.filter(isKept).map(mirrorKeyOf),
  };
}
