import { isAdopted } from '../core/adopted.ts';
import type { Alias, Image, Instance, Profile, State } from '../core/entities.ts';
import type { Rebuilt } from '../store/sqlite/rebuild.ts';

/** What there is to recover from. */
export interface Sources {
  readonly directoryId: string;
  /** Null without a copy. */
  readonly copy: { readonly state: State; readonly position: number; readonly lastInstanceId: number } | null;
  /** What the records have. */
  readonly records: State;
  readonly numbers: { readonly position: number; readonly lastInstanceId: number };
  /** Ids of folders of instances. */
  readonly folders: readonly number[];
  /** Fingerprints of folders of images. */
  readonly imageFolders: readonly string[];
  readonly now: Date;
}

/** An object that a recovery brings back, or a folder of unknown files that it keeps. */
export interface Item {
  readonly what: 'instance' | 'profile' | 'image' | 'alias' | 'folder' | 'image files';
  readonly name: string;
  readonly from: 'copy' | 'record' | 'nothing';
  /** What an operator should know; empty if nothing. */
  readonly note: string;
}

export interface Plan {
  readonly rebuilt: Rebuilt;
  readonly items: readonly Item[];
}

/** More positions than a daemon can give after a copy and before its recovery. */
const POSITIONS_SKIPPED = 1e12;
const MICROSECONDS_PER_MS = 1000;
/** More instances than operators make after a copy and before its recovery. */
const IDS_SKIPPED = 1_000_000;

const NO_FILES = 'its files are missing';
const LOST_PROFILE = 'Its content is lost: a recovery has made it again, empty, because instances use it';

/** Decides what the new database has. The copy has priority; records add objects that are newer than the copy. */
export function planRecovery(sources: Sources): Plan {
  const items: Item[] = [];
  const images = planImages(sources, items);
  const aliases = planAliases(sources, images, items);
  const instances = planInstances(sources, items);
  const profiles = planProfiles(sources, instances, items);
  const keptFolders = sources.folders.filter((id) => !instances.has(id));
  const keptImages = sources.imageFolders.filter((each) => !images.has(each));
  for (const id of keptFolders) items.push(kept('folder', `instances/${id}`));
  for (const each of keptImages) items.push(kept('image files', `images/${each}`));
  const rebuilt: Rebuilt = {
    directoryId: sources.directoryId,
    state: { instances, profiles, images, aliases },
    ...{ keptFolders, keptImages },
    lastInstanceId: lastId(sources, instances) + IDS_SKIPPED,
    position: nextPosition(sources),
  };
  return { rebuilt, items };
}

const kept = (what: Item['what'], name: string): Item => ({
  ...{ what, name, from: 'nothing' },
  note: 'nothing is known about it: the files are kept',
});

/**
 * A position later than any earlier one. The time makes sure of that if no source has the positions that an earlier
 * recovery has given.
 */
function nextPosition({ copy, numbers, now }: Sources): number {
  const known = Math.max(copy?.position ?? 0, numbers.position);
  return Math.max(known + POSITIONS_SKIPPED, now.getTime() * MICROSECONDS_PER_MS);
}

function lastId({ copy, numbers, folders }: Sources, instances: ReadonlyMap<number, Instance>): number {
  return [...folders, ...instances.keys()].reduce(
    (last, id) => Math.max(last, id),
    Math.max(copy?.lastInstanceId ?? 0, numbers.lastInstanceId),
  );
}

function planImages({ copy, records, imageFolders }: Sources, items: Item[]): Map<string, Image> {
  const images = new Map(copy?.state.images);
  const there = new Set(imageFolders);
  const added = [...records.images.values()].filter(({ fingerprint }) => there.has(fingerprint));
  for (const { fingerprint: name } of images.values())
    items.push({ what: 'image', name, from: 'copy', note: there.has(name) ? '' : NO_FILES });
  for (const image of added) {
    if (images.has(image.fingerprint)) continue;
    images.set(image.fingerprint, image);
    items.push({ what: 'image', name: image.fingerprint, from: 'record', note: '' });
  }
  return images;
}

function planAliases(
  { copy, records }: Sources,
  images: ReadonlyMap<string, Image>,
  items: Item[],
): Map<string, Alias> {
  const aliases = new Map(copy?.state.aliases);
  for (const { name } of aliases.values()) items.push({ what: 'alias', name, from: 'copy', note: '' });
  for (const alias of records.aliases.values()) {
    if (aliases.has(alias.name) || !images.has(alias.target)) continue;
    aliases.set(alias.name, alias);
    items.push({ what: 'alias', name: alias.name, from: 'record', note: '' });
  }
  return aliases;
}

function planInstances({ copy, records, folders }: Sources, items: Item[]): Map<number, Instance> {
  const hasFiles = new Set(folders);
  const isWhole = (each: Instance) => hasFiles.has(each.id) || isAdopted(each.config);
  const instances = new Map(copy?.state.instances);
  for (const each of instances.values())
    items.push({ what: 'instance', name: each.name, from: 'copy', note: isWhole(each) ? '' : NO_FILES });
  const names = new Set([...instances.values()].map(({ name }) => name));
  for (const record of records.instances.values()) {
    if (instances.has(record.id) || !isWhole(record)) continue;
    const isTaken = names.has(record.name);
    const name = isTaken ? freeName(record.id, names) : record.name;
    names.add(name);
    instances.set(record.id, { ...record, name });
    const note = isTaken ? `its name was ${record.name}, but in the copy another instance has this name` : '';
    items.push({ what: 'instance', name, from: 'record', note });
  }
  return instances;
}

function freeName(id: number, taken: ReadonlySet<string>): string {
  let name = `recovered-${id}`;
  while (taken.has(name)) name += '-x';
  return name;
}

function planProfiles(
  { copy, records }: Sources,
  instances: ReadonlyMap<number, Instance>,
  items: Item[],
): Map<string, Profile> {
  const profiles = new Map(copy?.state.profiles);
  for (const name of profiles.keys()) items.push({ what: 'profile', name, from: 'copy', note: '' });
  for (const profile of records.profiles.values()) {
    if (profiles.has(profile.name)) continue;
    profiles.set(profile.name, profile);
    items.push({ what: 'profile', name: profile.name, from: 'record', note: '' });
  }
  for (const name of new Set([...instances.values()].flatMap((each) => each.profiles))) {
    if (profiles.has(name)) continue;
    profiles.set(name, { name, description: LOST_PROFILE, config: {}, devices: {} });
    items.push({
      what: 'profile',
      name,
      from: 'nothing',
      note: 'its content is lost: the new one is empty',
    });
  }
  return profiles;
}
