import type { Change, Image, Instance } from '../core/entities.ts';
import { mirrorKeyOf } from '../core/mirror.ts';
import { type SharedChange, sameShared, sharedImageOf, sharedPartOf } from '../core/shared.ts';
import type { ObjectKey, SharedCommit } from '../store/shared-store.ts';

/** The state that changes are made from. */
export interface Before {
  readonly instances: { get(id: number): Instance | undefined };
  image(fingerprint: string): Image | undefined;
  /** The hosts that have the files of an image. */
  holders(fingerprint: string): Iterable<string>;
}

/** What a change means to those who share the objects. */
export type SharedPart = Pick<SharedCommit, 'changes' | 'same' | 'uses' | 'unused'>;

type Of<K extends Change['kind']> = Extract<Change, { kind: K }>;

/** Finds what of some changes others share; the rest is this host's own. @param member the name of this host */
export function sharedPart(changes: readonly Change[], before: Before, member: string): SharedPart {
  const found = new Found(changes, before, member);
  for (const change of changes) found.add(change);
  return found;
}

/** The parts as one; of the changes of one object the last one stays. */
export function joined(parts: readonly SharedPart[]): SharedPart {
  const changes = new Map(parts.flatMap((part) => part.changes).map((each) => [mirrorKeyOf(each), each]));
  const keys = (of: 'same' | 'uses' | 'unused') => {
    const named = parts.flatMap((part) => part[of]).map((key) => [`${key.kind}s/${key.name}`, key] as const);
    // Nothing is to be asked of an object that the change makes or removes itself.
    return [...new Map(named.filter(([name]) => of === 'unused' || !changes.has(name))).values()];
  };
  return { changes: [...changes.values()], same: keys('same'), uses: keys('uses'), unused: keys('unused') };
}

class Found implements SharedPart {
  readonly changes: SharedChange[] = [];
  readonly same: ObjectKey[] = [];
  readonly uses: ObjectKey[] = [];
  readonly unused: ObjectKey[] = [];
  readonly #before: Before;
  readonly #member: string;
  /** Profiles that the changes make or remove: nothing else is to be asked of them. */
  readonly #own = new Set<string>();
  readonly #asked = new Set<string>();

  constructor(changes: readonly Change[], before: Before, member: string) {
    this.#before = before;
    this.#member = member;
    for (const change of changes) {
      if (change.kind === 'put-profile') this.#own.add(change.profile.name);
      if (change.kind === 'delete-profile') this.#own.add(change.name);
    }
  }

  add(change: Change): void {
    switch (change.kind) {
      case 'put-instance':
        this.#putInstance(change.instance);
        return;
      case 'delete-instance':
        this.#deleteInstance(change.id);
        return;
      case 'put-image':
        this.#putImage(change.image);
        return;
      case 'put-profile':
        this.changes.push(change);
        return;
      case 'delete-profile':
        this.#remove(change, { kind: 'profile', name: change.name });
        return;
      case 'delete-image':
        this.#remove(change, { kind: 'image', name: change.fingerprint });
        for (const member of this.#before.holders(change.fingerprint))
          this.changes.push({ kind: 'delete-holder', fingerprint: change.fingerprint, member });
        return;
      case 'put-alias':
        this.#ask(this.uses, { kind: 'image', name: change.alias.target });
        this.changes.push(change);
        return;
      case 'delete-alias':
        this.changes.push(change);
        return;
      case 'give-instance-id':
      case 'keep-folder':
      case 'drop-folder':
      case 'put-additions':
      case 'drop-additions':
      case 'put-fleet':
      case 'leave-fleet':
      case 'put-mirror':
      case 'delete-mirror':
      case 'break-history':
        return;
    }
  }

  #putInstance(instance: Instance): void {
    const before = this.#before.instances.get(instance.id);
    if (before && sameShared(before, instance)) return;
    if (before && before.name !== instance.name)
      this.changes.push({ kind: 'delete-instance', name: before.name });
    this.changes.push({ kind: 'put-instance', instance: sharedPartOf(instance, this.#member) });
    for (const name of instance.profiles) {
      if (this.#own.has(name)) continue;
      const isNew = !before?.profiles.includes(name);
      this.#ask(isNew ? this.uses : this.same, { kind: 'profile', name });
    }
  }

  #deleteInstance(id: number): void {
    const before = this.#before.instances.get(id);
    if (before) this.changes.push({ kind: 'delete-instance', name: before.name });
  }

  #putImage(image: Image): void {
    const before = this.#before.image(image.fingerprint);
    const shared = sharedImageOf(image);
    if (before && JSON.stringify(sharedImageOf(before)) === JSON.stringify(shared)) return;
    this.changes.push({ kind: 'put-image', image: shared });
    const { fingerprint } = image;
    if (!before) this.changes.push({ kind: 'put-holder', fingerprint, member: this.#member });
  }

  #remove(change: Of<'delete-profile'> | Of<'delete-image'>, key: ObjectKey): void {
    this.changes.push(change);
    this.unused.push(key);
  }

  #ask(list: ObjectKey[], key: ObjectKey): void {
    const text = `${list === this.uses} ${key.kind} ${key.name}`;
    if (this.#asked.has(text)) return;
    this.#asked.add(text);
    list.push(key);
  }
}
