import { CodedError } from '../base/coded-error.ts';
import { adoptedInit, withAdopted } from '../core/adopted.ts';
import { isTrue } from '../core/booleans.ts';
import { checkConfig, withoutEmpty } from '../core/config-keys.ts';
import { checkDevices, checkExpandedDevices } from '../core/devices.ts';
import { type DeviceStep, planDevices } from '../core/devices-plan.ts';
import type { Change, Config, Instance, Profile } from '../core/entities.ts';
import { type Expanded, expand } from '../core/expand.ts';
import { guestEvents } from '../core/guest-events.ts';
import { withGuestKeysOf, withGuestWrites } from '../core/guest-keys.ts';
import { hostError } from '../core/host-errors.ts';
import { refuseLateLimits } from '../core/limits.ts';
import { own, sameRecord } from '../core/records.ts';
import { refuseLateSize } from '../core/root-size.ts';
import { afterUpdate } from '../core/volatile.ts';
import { profilesAfter } from '../model/check-profiles.ts';
import type { EventDraft } from '../model/event-draft.ts';
import type { Model } from '../model/model.ts';
import type { Needs } from './needs.ts';

type Profiles = ReadonlyMap<string, Profile>;

/** The effect of an update on one instance, computed before anything is done. */
export interface UpdatePlan {
  readonly current: Instance;
  readonly next: Instance;
  readonly before: Expanded;
  readonly after: Expanded;
  /** The steps for a running instance, in order; empty for a stopped one. */
  readonly steps: readonly DeviceStep[];
}

/**
 * Computes and checks an update of one instance.
 * @param profiles all profiles, as they are after the change
 * @throws limit-needs-start, root-size-needs-start, invalid-config, invalid-devices, invalid-expanded-devices, profile-not-found, profile-duplicate
 */
export function planUpdate(
  context: Needs<'model' | 'random' | 'running' | 'runtimeOf'>,
  current: Instance,
  asked: Instance,
  profiles: Profiles,
): UpdatePlan {
  const before = context.model.expanded(current);
  checkProfiles(asked.profiles, profiles);
  prefixed('invalid-config', () => checkConfig(asked.config, 'instance'));
  const devices = prefixed('invalid-devices', () => checkDevices(asked.devices));
  const wanted = { ...asked, config: withoutEmpty(asked.config), devices };
  const expanded = expand(wanted, profiles);
  const ownConfig = withAdopted(wanted.config, adoptedInit(current.config));
  prefixed('invalid-expanded-devices', () => checkExpandedDevices(expanded.devices, ownConfig));
  const config = afterUpdate(current, wanted, before, expanded, context.random);
  const next = { ...wanted, config };
  const after = expand(next, profiles);
  prefixed('invalid-config', () => context.runtimeOf(next.config).checkConfig(after.config));
  const run = context.running.get(current.id);
  if (run) refuseLateLimits(before.config, after.config);
  if (run?.runtime.owns) refuseLateSize(before.devices, after.devices);
  const steps = run ? planDevices(before.devices, after.devices) : [];
  return { current, next, before, after, steps };
}

/** Checks that each profile exists and is named once. @throws profile-not-found, profile-duplicate */
function checkProfiles(names: readonly string[], profiles: Profiles): void {
  if (new Set(names).size !== names.length) throw hostError('profile-duplicate');
  if (names.some((name) => !profiles.has(name))) throw hostError('profile-not-found');
}

function prefixed<T>(
  code: 'invalid-config' | 'invalid-devices' | 'invalid-expanded-devices',
  check: () => T,
): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    throw hostError(code, error.message);
  }
}

/**
 * A plan with the profiles as they are now: they may have changed since it was made.
 * @param changes those of the commit
 */
export function freshPlan(model: Model, plan: UpdatePlan, changes: readonly Change[]): UpdatePlan {
  const { current, next } = plan;
  if (model.expanded(current) === plan.before) return plan;
  const now = model.state.profiles;
  return { ...plan, before: expand(current, now), after: expand(next, profilesAfter(now, changes)) };
}

/**
 * What a plan makes of an instance, and its guest events. Values that the instance has written meanwhile stay.
 * @returns null for the instance if its own record stays as it is
 */
export function changesOf(
  plan: UpdatePlan,
  newest: Instance,
): { instance: Instance | null; events: EventDraft[] } {
  const { current, next } = plan;
  const { config, before, after } = newest === current ? writtenNothing(plan) : withWrites(plan, newest);
  // Also while the instance is stopped: a listener that comes back later with a position must miss nothing.
  const events = guestEvents(before, after);
  const instance = { ...next, config, lastStartedAt: newest.lastStartedAt };
  return {
    instance: isSame(instance, newest) ? null : instance,
    events: events.map((event) => ({ ...event, instanceId: next.id })),
  };
}

/** What a plan makes of an instance that has not changed since it was made. */
function writtenNothing({ next, before, after }: UpdatePlan) {
  return { config: next.config, before, after };
}

/** The same with values that the instance has written since. */
function withWrites({ current, next, before, after }: UpdatePlan, newest: Instance) {
  const config = withGuestWrites(keepReady(newest, next), current.config, newest.config);
  return {
    config,
    before: { ...before, config: withGuestKeysOf(before.config, newest.config) },
    after: { ...after, config: withGuestKeysOf(after.config, config) },
  };
}

/** Whether two states of an instance are equal. Only their fields are compared, not the order of their keys. */
function isSame(one: Instance, other: Instance): boolean {
  const texts = ({ config: _config, devices: _devices, profiles, ...rest }: Instance): Config => ({
    ...(rest as unknown as Config),
    profiles: profiles.join(','),
  });
  const [mine, its] = [one.devices, other.devices];
  const names = Object.keys(mine);
  return (
    sameRecord(one.config, other.config) &&
    sameRecord(texts(one), texts(other)) &&
    names.length === Object.keys(its).length &&
    names.every((name) => sameRecord(own(mine, name) ?? {}, own(its, name) ?? {}))
  );
}

const READY = 'volatile.last_state.ready';

/** The planned config with the current readiness: it may have changed while devices were changed. */
function keepReady(newest: Instance, next: Instance): Instance['config'] {
  const { [READY]: _, ...config } = next.config;
  const ready = newest.config[READY];
  return ready === undefined ? config : { ...config, [READY]: ready };
}

/** Whether a plan switches the guest API of the instance on (true) or off (false); null if neither. */
export function guestApiChange({ before, after }: UpdatePlan): boolean | null {
  const was = isTrue(before.config['security.devlxd'], true);
  const is = isTrue(after.config['security.devlxd'], true);
  return was === is ? null : is;
}
