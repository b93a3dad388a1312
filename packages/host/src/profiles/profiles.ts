import { mapInSlices, nextTurn, SLICE } from '../base/slices.ts';
import { checkConfig, withoutEmpty } from '../core/config-keys.ts';
import { checkDevices, checkDiskPaths } from '../core/devices.ts';
import { planDevices } from '../core/devices-plan.ts';
import type { Instance, Profile } from '../core/entities.ts';
import { hostError } from '../core/host-errors.ts';
import { changedLimits } from '../core/limits.ts';
import { checkProfileName } from '../core/names.ts';
import type { Needs } from '../instances/needs.ts';
import { withName } from '../instances/of-instance.ts';
import { performPlans } from '../instances/perform.ts';
import { guestApiChange, planUpdate, type UpdatePlan } from '../instances/plan.ts';
import type { Requestor } from '../model/events.ts';
import type { LargeChange } from '../model/large-commit.ts';
import { lifecycle } from '../model/lifecycle.ts';
import type { Model } from '../model/model.ts';
import type { Precondition } from '../model/precondition.ts';
import type { ProfileInfo } from './profile-info.ts';

type ProfileFields = Pick<Profile, 'description' | 'config' | 'devices'>;
type ProfileParts = Pick<Profile, 'config' | 'devices'>;

/** The name of the profile that always exists. */
const DEFAULT = 'default';

/** The profile that a first start makes: it has only a root disk. */
export const DEFAULT_PROFILE: Profile = {
  name: DEFAULT,
  description: 'Default Porthole profile',
  config: {},
  devices: { root: { type: 'disk', path: '/', pool: 'default' } },
};

/** The use cases of operators for profiles. */
export function profileCases(
  context: Needs<'guests' | 'log' | 'model' | 'random' | 'queue' | 'running' | 'runtimeOf'>,
) {
  const { model } = context;
  return {
    list: () => [...model.state.profiles.values()].sort(byName).map((profile) => infoOf(context, profile)),
    get: (name: string) => infoOf(context, find(context, name)),
    create(profile: Profile, by: Requestor): Promise<void> {
      return model.change(() => {
        checkProfileName(profile.name);
        if (model.state.profiles.has(profile.name)) throw hostError('profile-exists', profile.name);
        const checked = { ...profile, ...checkProfile(profile) };
        const created = lifecycle('profile-created', 'profiles', profile.name, { by });
        return { changes: [{ kind: 'put-profile', profile: checked }], events: [created] };
      });
    },
    update: (name: string, fields: ProfileFields, by: Requestor, check?: Precondition<Profile>) =>
      update(context, find(context, name), fields, by, check),
    rename: (name: string, to: string, by: Requestor) => rename(context, find(context, name), to, by),
    delete(name: string, by: Requestor): Promise<void> {
      return model.change(() => {
        const profile = find(context, name);
        if (name === DEFAULT) throw hostError('profile-default-delete');
        if (isUsed(model, profile.name)) throw hostError('profile-in-use');
        const deleted = lifecycle('profile-deleted', 'profiles', name, { by });
        return { changes: [{ kind: 'delete-profile', name }], events: [deleted] };
      });
    },
  };
}

const byName = (one: { name: string }, other: { name: string }) => (one.name < other.name ? -1 : 1);

function infoOf({ model }: Needs<'model'>, profile: Profile): ProfileInfo {
  return {
    profile,
    // Made only when it is read: many requests need the profile alone.
    get usedBy() {
      const names = model.usersOf(profile.name).map(({ name }) => name);
      return names.sort();
    },
  };
}

/** By an instance of this host, or of another one of the fleet. */
function isUsed(model: Model, profile: string): boolean {
  const others = model.others.values();
  return model.usersOf(profile).length > 0 || others.some(({ profiles }) => profiles.includes(profile));
}

function find({ model }: Needs<'model'>, name: string): Profile {
  const profile = model.state.profiles.get(name);
  if (!profile) throw hostError('profile-not-found');
  return profile;
}

/** @returns the config without empty values and the devices without empty options */
function checkProfile({ config, devices }: ProfileParts): ProfileParts {
  checkConfig(config, 'profile');
  const checked = checkDevices(devices);
  checkDiskPaths(checked);
  return { config: withoutEmpty(config), devices: checked };
}

/** Changes a profile and every instance that uses it, running ones included, in one commit. */
function update(
  context: Needs<'guests' | 'log' | 'model' | 'random' | 'queue' | 'running' | 'runtimeOf'>,
  { name }: Profile,
  fields: ProfileFields,
  by: Requestor,
  check: Precondition<Profile> | undefined,
): Promise<void> {
  const { model } = context;
  const checked = checkProfile(fields);
  return withUsers(context, name, async (users) => {
    const current = find(context, name);
    check?.(current);
    const profile = { ...current, ...fields, ...checked };
    const profiles = new Map(model.state.profiles).set(name, profile);
    const ids = new Set(users.map(({ id }) => id));
    const naming = users.length > 1;
    const planFor = (instance: Instance) => {
      const plan = () => planUpdate(context, instance, instance, profiles);
      return naming ? withName(instance, plan) : plan();
    };
    const plans = await mapInSlices(users, planFor);
    const updated = lifecycle('profile-updated', 'profiles', name, { by });
    await performPlans(context, plans, {
      changes: [{ kind: 'put-profile', profile }],
      events: [updated],
      naming,
      // Its profile may have been renamed or deleted meanwhile, if it had no users.
      check: () => checkStill(find(context, name), current, check),
      newcomers: () => newcomers(context, name, ids).map((each) => withoutWork(planFor(each), name)),
    });
  });
}

/** @throws changed-meanwhile, or the error of the precondition, if the plan was made from another state */
function checkStill(profile: Profile, planned: Profile, check: Precondition<Profile> | undefined): void {
  if (profile === planned) return;
  check?.(profile);
  throw hostError('changed-meanwhile', `Profile "${profile.name}"`);
}

/** Instances that have begun to use a profile while it was changed for its users. @param users ids */
function newcomers({ model }: Needs<'model'>, profile: string, users: ReadonlySet<number>): Instance[] {
  return model.usersOf(profile).filter(({ id }) => !users.has(id));
}

/**
 * Changes of keys reach newcomers too. But nothing may be done now on the processes of a newcomer: it may just start.
 * @throws profile-changed if that would be necessary
 */
function withoutWork(plan: UpdatePlan, profile: string): UpdatePlan {
  const { before, after } = plan;
  const isKept =
    planDevices(before.devices, after.devices).length === 0 &&
    changedLimits(before.config, after.config).length === 0 &&
    guestApiChange(plan) === null;
  if (!isKept) throw hostError('profile-changed', profile);
  return plan;
}

/** Runs work in the queues of all instances that use a profile when it is called. */
function withUsers<T>(
  context: Needs<'model' | 'queue'>,
  profile: string,
  work: (users: Instance[]) => Promise<T>,
): Promise<T> {
  const { model, queue } = context;
  const ids = new Set(model.usersOf(profile).map(({ id }) => id));
  return queue.runAll(ids, 'update', async () => {
    const users = model.usersOf(profile).filter(({ id }) => ids.has(id));
    if (users.length > SLICE) await nextTurn();
    return work(users);
  });
}

function rename(
  context: Needs<'model' | 'queue'>,
  { name }: Profile,
  to: string,
  by: Requestor,
): Promise<void> {
  const { model } = context;
  if (name === DEFAULT) throw hostError('profile-default-rename');
  checkProfileName(to);
  if (model.state.profiles.has(to)) throw hostError('name-in-use', to);
  return withUsers(context, name, async (users) => {
    const profile = find(context, name);
    const check = () => {
      if (model.state.profiles.has(to)) throw hostError('name-in-use', to);
      refuseUsersElsewhere(context, name);
    };
    const renamed = lifecycle('profile-renamed', 'profiles', to, { by, context: { old_name: name } });
    const ids = new Set(users.map(({ id }) => id));
    const change: LargeChange = {
      ...{ ids: [...ids], check },
      newcomers: () => newcomers(context, name, ids).map(({ id }) => id),
      partOf: (current) => ({ instance: withProfile(current, name, to), events: [] }),
      changes: [
        { kind: 'put-profile', profile: { ...profile, name: to } },
        { kind: 'delete-profile', name },
      ],
      events: [renamed],
    };
    await model.commitMany(change);
  });
}

/** @throws profile-used-elsewhere: the records of other hosts' instances are theirs to change */
function refuseUsersElsewhere({ model }: Needs<'model'>, profile: string): void {
  const users = [...model.others.values()].filter(({ profiles }) => profiles.includes(profile));
  const members = new Set(users.map(({ member }) => member));
  if (members.size > 0) throw hostError('profile-used-elsewhere', profile, [...members].sort().join(', '));
}

function withProfile(instance: Instance, name: string, to: string): Instance {
  return { ...instance, profiles: instance.profiles.map((each) => (each === name ? to : each)) };
}
