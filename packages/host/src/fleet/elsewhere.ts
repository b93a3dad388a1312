import { NEVER } from '../base/clock.ts';
import type { Change, Image, Instance } from '../core/entities.ts';
import { expand } from '../core/expand.ts';
import { guestEvents } from '../core/guest-events.ts';
import { recordOf, sameRecord } from '../core/records.ts';
import type { SharedChange, SharedImage, SharedInstance } from '../core/shared.ts';
import { afterUpdate } from '../core/volatile.ts';
import type { Needs } from '../instances/needs.ts';
import { profilesAfter } from '../model/check-profiles.ts';
import type { LargeChange, LargePart } from '../model/large-commit.ts';
import type { Model } from '../model/model.ts';
import { changedDevices, type Reached } from './adjust.ts';
import { withoutDangling } from './dangling.ts';

/** A change of this host's store that follows one of the fleet's. */
export interface Followed {
  readonly change: LargeChange;
  /** By id, the instances that the change has reached, when it is committed; running ones need more than that. */
  readonly reached: ReadonlyMap<number, Reached>;
  /** Changes of the fleet that are not made here, because they refer to something that does not exist. */
  readonly leftOut: readonly SharedChange[];
}

/**
 * Works out what changes of other members change here: the same objects, and the events and rows of the instances that
 * they reach. It refuses nothing, because etcd has these changes already.
 * @param extra changes that belong to the same transaction
 * @param isTold whether instances are told what has changed, or only that something has
 */
export function followed(
  { model, random }: Needs<'model' | 'random'>,
  shared: readonly SharedChange[],
  member: string,
  extra: readonly Change[],
  isTold = true,
): Followed {
  const { state } = model;
  const records = ownRecords(model, shared, member);
  const sound = withoutDangling(shared, state, (name) => isUsed(name, model, records));
  const changes = sound.flatMap((change) => ownChange(change, state.images));
  const profiles = profilesAfter(state.profiles, changes);
  const touched = shared.flatMap((change) => (change.kind === 'put-profile' ? change.profile.name : []));
  const ids = new Set([
    ...records.keys(),
    ...touched.flatMap((name) => model.usersOf(name).map(({ id }) => id)),
  ]);
  const reached = new Map<number, Reached>();
  const partOf = (current: Instance): LargePart => {
    const record = records.get(current.id);
    const asked = record ? withRecord(current, record) : current;
    const before = model.expanded(current);
    const after = expand(asked, profiles);
    const next = { ...asked, config: afterUpdate(current, asked, before, after, random) };
    const { config, devices } = expand(next, profiles);
    reached.set(current.id, { before, devices: changedDevices(before.devices, devices) });
    const events = isTold ? guestEvents(before, { config, devices }) : [];
    const isSame = !record && sameRecord(next.config, current.config);
    return {
      instance: isSame ? null : next,
      events: events.map((event) => ({ ...event, instanceId: current.id })),
    };
  };
  return {
    change: { ids: [...ids], partOf, changes: [...changes, ...extra], events: [], isFollowed: true },
    reached,
    leftOut: sound === shared ? [] : notIn(shared, sound),
  };
}

function notIn(all: readonly SharedChange[], some: readonly SharedChange[]): SharedChange[] {
  const found = new Set(some);
  return all.filter((change) => !found.has(change));
}

/** Whether an instance of this host uses a profile after these records are applied. */
function isUsed(profile: string, model: Model, records: ReadonlyMap<number, SharedInstance>): boolean {
  const uses = ({ profiles }: Pick<SharedInstance, 'profiles'>) => profiles.includes(profile);
  return (
    model.usersOf(profile).some((each) => uses(records.get(each.id) ?? each)) || records.values().some(uses)
  );
}

/**
 * The records of this host's instances, by id. One with the name of another instance here, or with a profile that does not
 * exist, is left out.
 */
function ownRecords(
  model: Model,
  shared: readonly SharedChange[],
  member: string,
): Map<number, SharedInstance> {
  const put = shared.flatMap((change) => (change.kind === 'put-instance' ? change.instance : []));
  const profiles = profilesAfter(
    model.state.profiles,
    shared.filter((each) => each.kind === 'put-profile'),
  );
  const isHere = (record: SharedInstance) => {
    const { member: of, id, name } = record;
    const current = of === member ? model.instanceById(id) : undefined;
    const hasName = current?.name === name || !model.hasInstance(name);
    return current !== undefined && hasName && record.profiles.every((each) => profiles.has(each));
  };
  return new Map(put.filter(isHere).map((each) => [each.id, each]));
}

/** The change of a model's own object; none for objects that only the mirror has. */
function ownChange(change: SharedChange, images: ReadonlyMap<string, Image>): Change[] {
  switch (change.kind) {
    case 'put-profile':
    case 'delete-profile':
    case 'put-alias':
    case 'delete-alias':
    case 'delete-image':
      return [change];
    case 'put-image':
      return [{ kind: 'put-image', image: withLastUse(change.image, images) }];
    default:
      return [];
  }
}

function withLastUse(image: SharedImage, images: ReadonlyMap<string, Image>): Image {
  return { ...image, lastUsedAt: images.get(image.fingerprint)?.lastUsedAt ?? NEVER };
}

/** The instance as its record says, with what only this host knows. */
function withRecord(current: Instance, { member: _, ...record }: SharedInstance): Instance {
  const volatile = Object.entries(current.config).filter(([key]) => key.startsWith('volatile.'));
  const config = recordOf([...Object.entries(record.config), ...volatile]);
  return { ...current, ...record, config };
}
