import type { State } from '../core/entities.ts';
import type { SharedChange } from '../core/shared.ts';

/** Changes that can leave an object without what it refers to. */
const RISKY: ReadonlySet<SharedChange['kind']> = new Set(['put-alias', 'delete-image', 'delete-profile']);

/**
 * Changes without those that would leave an object here without what it refers to: an alias without its image, an
 * instance without one of its profiles. Members make no such changes, but an operator can, with etcd's own client. This
 * host's store would refuse them, and the member could not follow any later change.
 * @param isUsed whether an instance here uses a profile
 */
export function withoutDangling(
  changes: readonly SharedChange[],
  { images, aliases }: Pick<State, 'aliases' | 'images'>,
  isUsed: (profile: string) => boolean,
): readonly SharedChange[] {
  if (!changes.some(({ kind }) => RISKY.has(kind))) return changes;
  const there = new Set(images.keys());
  for (const change of changes) {
    if (change.kind === 'put-image') there.add(change.image.fingerprint);
    if (change.kind === 'delete-image') there.delete(change.fingerprint);
  }
  const targets = new Map([...aliases.values()].map(({ name, target }) => [name, target]));
  const kept = changes.filter((change) => {
    if (change.kind === 'delete-alias') targets.delete(change.name);
    if (change.kind === 'delete-profile') return !isUsed(change.name);
    if (change.kind !== 'put-alias') return true;
    const { name, target } = change.alias;
    if (there.has(target)) targets.set(name, target);
    return there.has(target);
  });
  const lost = [...targets].filter(([, target]) => !there.has(target));
  return [...kept, ...lost.map(([name]): SharedChange => ({ kind: 'delete-alias', name }))];
}
