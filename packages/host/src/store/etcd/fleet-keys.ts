import { mirrorKeyOf } from '../../core/mirror.ts';
import type { SharedChange } from '../../core/shared.ts';
import { describeObject, type SharedKind } from '../shared-state.ts';
import type { ObjectKey } from '../shared-store.ts';

/** The first part of the keys of each kind of object that members share. */
const FOLDER_OF = {
  instance: 'instances',
  profile: 'profiles',
  image: 'images',
  alias: 'aliases',
  member: 'members',
  alive: 'alive',
  holder: 'holders',
} as const satisfies Record<SharedKind, string>;

export type ObjectFolder = (typeof FOLDER_OF)[SharedKind];

type Folder = ObjectFolder | 'commits' | 'uses';

/** A key of the fleet, in its parts. */
export interface FleetKey {
  readonly folder: Folder;
  /** All after the folder; it can contain slashes. */
  readonly name: string;
}

const FOLDERS: ReadonlySet<string> = new Set([...Object.values(FOLDER_OF), 'commits', 'uses']);

/** The names of etcd's keys. */
export class FleetKeys {
  /** All keys of the fleet begin with it; it ends with a slash. */
  readonly prefix: string;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  /** The key of the object that a change puts or deletes. */
  of(change: SharedChange): string {
    return `${this.prefix}${mirrorKeyOf(change)}`;
  }

  /** The key of what others use. */
  object({ kind, name }: ObjectKey): string {
    return `${this.prefix}${FOLDER_OF[kind]}/${name}`;
  }

  /** It is written when something begins to use the object. */
  uses({ kind, name }: ObjectKey): string {
    return `${this.prefix}uses/${kind}/${name}`;
  }

  /** Exists while the member has a lease. */
  alive(member: string): string {
    return `${this.prefix}alive/${member}`;
  }

  member(name: string): string {
    return `${this.prefix}members/${name}`;
  }

  /** Has the token of the member's newest commit. */
  commits(member: string): string {
    return `${this.prefix}commits/${member}`;
  }

  /** All keys of a folder begin with this. */
  folder(folder: Folder): string {
    return `${this.prefix}${folder}/`;
  }

  /** The parts of a key; null if it is none of these. */
  parse(key: string): FleetKey | null {
    if (!key.startsWith(this.prefix)) return null;
    const rest = key.slice(this.prefix.length);
    const slash = rest.indexOf('/');
    const folder = rest.slice(0, slash);
    return slash > 0 && FOLDERS.has(folder)
      ? { folder: folder as Folder, name: rest.slice(slash + 1) }
      : null;
  }
}

/** What a key is about, for messages. */
export function describeKey(keys: FleetKeys, key: string): string {
  const parts = keys.parse(key);
  if (!parts) return key;
  const { folder, name } = parts;
  const kind = KIND_OF.get(folder);
  if (kind) return describeObject(kind, name);
  const slash = name.indexOf('/');
  return folder === 'uses' ? describeObject(name.slice(0, slash) as SharedKind, name.slice(slash + 1)) : key;
}

const KIND_OF: ReadonlyMap<string, SharedKind> = new Map(
  Object.entries(FOLDER_OF).map(([kind, folder]) => [folder, kind as SharedKind]),
);
