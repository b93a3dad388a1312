import type { Alias, Config, Image, Instance, Profile } from './entities.ts';
import { own, recordOf, sameRecord } from './records.ts';

/** What all members of a fleet know of an instance: everything but what belongs to its host and its runs. */
export interface SharedInstance extends Omit<Instance, 'lastStartedAt'> {
  /** The member on which it lives. */
  readonly member: string;
}

/** What all members of a fleet know of an image. Each member keeps its own time of last use. */
export type SharedImage = Omit<Image, 'lastUsedAt'>;

/** A host that belongs to a fleet. */
export interface Member {
  readonly name: string;
  /** Where it answers other members, as `HOST:PORT`. */
  readonly address: string;
  /** sha256 of its certificate in DER form, 64 lower-case hex digits. */
  readonly fingerprint: string;
  /** Porthole's version. */
  readonly version: string;
  /** The newest form of the fleet's records that it understands. */
  readonly api: number;
  /** Canonical, such as `x86_64`. */
  readonly architecture: string;
  /** RFC 3339. */
  readonly joinedAt: string;
  /** Its instances are shown only when it has joined. */
  readonly state: 'joining' | 'joined' | 'leaving';
}

/** A change of an object that all members share. */
export type SharedChange =
  | { readonly kind: 'put-instance'; readonly instance: SharedInstance }
  | { readonly kind: 'delete-instance'; readonly name: string }
  | { readonly kind: 'put-profile'; readonly profile: Profile }
  | { readonly kind: 'delete-profile'; readonly name: string }
  | { readonly kind: 'put-image'; readonly image: SharedImage }
  | { readonly kind: 'delete-image'; readonly fingerprint: string }
  | { readonly kind: 'put-alias'; readonly alias: Alias }
  | { readonly kind: 'delete-alias'; readonly name: string }
  | { readonly kind: 'put-member'; readonly member: Member }
  | { readonly kind: 'delete-member'; readonly name: string }
  /** A member has a lease, from now on; `run` is an id of its daemon's run. */
  | { readonly kind: 'put-alive'; readonly member: string; readonly run: string }
  | { readonly kind: 'delete-alive'; readonly member: string }
  | { readonly kind: 'put-holder'; readonly fingerprint: string; readonly member: string }
  | { readonly kind: 'delete-holder'; readonly fingerprint: string; readonly member: string };

const isLocalKey = (key: string) => key.startsWith('volatile.');

/** The part of an instance that all members know. */
export function sharedPartOf({ lastStartedAt: _, ...rest }: Instance, member: string): SharedInstance {
  const config = recordOf(Object.entries(rest.config).filter(([key]) => !isLocalKey(key)));
  return { ...rest, config, member };
}

/** The part of an image that all members know. */
export function sharedImageOf({ lastUsedAt: _, ...rest }: Image): SharedImage {
  return rest;
}

/** Whether two states of one instance differ only in what belongs to its host and its runs. */
export function sameShared(one: Instance, other: Instance): boolean {
  if (one === other) return true;
  const texts = ({ name, architecture, description, ephemeral, createdAt, profiles }: Instance) =>
    JSON.stringify([name, architecture, description, ephemeral, createdAt, profiles]);
  return (
    texts(one) === texts(other) &&
    sameRecord(sharedConfig(one.config), sharedConfig(other.config)) &&
    sameDevices(one, other)
  );
}

/** An instance with what all members know of a newer state of it. */
export function withShared(instance: Instance, newer: Instance): Instance {
  const own = Object.entries(instance.config).filter(([key]) => isLocalKey(key));
  const config = recordOf([...Object.entries(sharedConfig(newer.config)), ...own]);
  return { ...newer, config, lastStartedAt: instance.lastStartedAt };
}

function sharedConfig(config: Config): Config {
  return recordOf(Object.entries(config).filter(([key]) => !isLocalKey(key)));
}

function sameDevices({ devices: mine }: Instance, { devices: its }: Instance): boolean {
  const names = Object.keys(mine);
  return (
    names.length === Object.keys(its).length &&
    names.every((name) => sameRecord(own(mine, name) ?? {}, own(its, name) ?? {}))
  );
}

/**
 * A change of an instance, made on another state than that it was planned from: values that only its host knows, and
 * that have changed meanwhile, stay.
 * @param from the state that the change was planned from
 */
export function rebased(changed: Instance, from: Instance, newest: Instance): Instance {
  if (newest === from) return changed;
  const config = recordOf([
    ...Object.entries(changed.config).filter(([key]) => !isLocalKey(key)),
    ...Object.entries(newest.config).filter(([key]) => isLocalKey(key)),
  ]);
  for (const key of Object.keys({ ...changed.config, ...from.config }).filter(isLocalKey)) {
    const value = own(changed.config, key);
    if (value === own(from.config, key)) continue;
    if (value === undefined) delete config[key];
    else config[key] = value;
  }
  const lastStartedAt =
    changed.lastStartedAt === from.lastStartedAt ? newest.lastStartedAt : changed.lastStartedAt;
  return { ...changed, config, lastStartedAt };
}
