import type { Alias, Profile } from '../core/entities.ts';
import type { Member, SharedChange, SharedImage, SharedInstance } from '../core/shared.ts';
import type { SharedState } from './shared-store.ts';

/** A state to which changes are applied. */
export class MutableSharedState implements SharedState {
  readonly instances = new Map<string, SharedInstance>();
  readonly profiles = new Map<string, Profile>();
  readonly images = new Map<string, SharedImage>();
  readonly aliases = new Map<string, Alias>();
  readonly members = new Map<string, Member>();
  readonly alive = new Map<string, string>();
  readonly holders = new Map<string, Set<string>>();

  readonly #apply: { [K in SharedChange['kind']]: (change: Extract<SharedChange, { kind: K }>) => void } = {
    'put-instance': ({ instance }) => void this.instances.set(instance.name, instance),
    'delete-instance': ({ name }) => void this.instances.delete(name),
    'put-profile': ({ profile }) => void this.profiles.set(profile.name, profile),
    'delete-profile': ({ name }) => void this.profiles.delete(name),
    'put-image': ({ image }) => void this.images.set(image.fingerprint, image),
    'delete-image': ({ fingerprint }) => void this.images.delete(fingerprint),
    'put-alias': ({ alias }) => void this.aliases.set(alias.name, alias),
    'delete-alias': ({ name }) => void this.aliases.delete(name),
    'put-member': ({ member }) => void this.members.set(member.name, member),
    'delete-member': ({ name }) => void this.members.delete(name),
    'put-alive': ({ member, run }) => void this.alive.set(member, run),
    'delete-alive': ({ member }) => void this.alive.delete(member),
    'put-holder': ({ fingerprint, member }) => this.#hold(fingerprint, member),
    'delete-holder': ({ fingerprint, member }) => {
      const holders = this.holders.get(fingerprint);
      if (holders?.delete(member) && holders.size === 0) this.holders.delete(fingerprint);
    },
  };

  apply(change: SharedChange): void {
    (this.#apply[change.kind] as (change: SharedChange) => void)(change);
  }

  #hold(fingerprint: string, member: string): void {
    const holders = this.holders.get(fingerprint) ?? new Set();
    this.holders.set(fingerprint, holders.add(member));
  }
}

type KindIn<Name> = Name extends `put-${infer Kind}` ? Kind : never;

/** Kinds of objects that members share. */
export type SharedKind = KindIn<SharedChange['kind']>;

const WORDS = {
  instance: 'Instance',
  profile: 'Profile',
  image: 'Image',
  alias: 'Image alias',
  member: 'Member',
  alive: 'The lease of member',
  holder: 'The files of image',
} as const satisfies Record<SharedKind, string>;

/** An object, for messages. */
export function describeObject(kind: SharedKind, name: string): string {
  return `${WORDS[kind]} "${kind === 'holder' ? (name.split('/')[0] ?? '') : name}"`;
}
