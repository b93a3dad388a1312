import type { ConfigEvent, DeviceEvent } from '../../../guest/src/wire.ts';
import { planDevices } from './devices-plan.ts';
import type { Config } from './entities.ts';
import type { Expanded } from './expand.ts';
import { hasGuestKeys, isGuestKey } from './guest-keys.ts';
import { own, sortedCopy, sortedKeys } from './records.ts';

/** An event for an instance, without its time. Its keys are in alphabetical order, as LXD prints them. */
type GuestEvent = Omit<ConfigEvent, 'timestamp'> | Omit<DeviceEvent, 'timestamp'>;

/**
 * The events that an instance gets for a change: one for each `user.*` and `guest.*` key whose expanded value
 * has changed, sorted by key; then one for each step of its devices. Other keys make no events, as in LXD.
 */
export function guestEvents(before: Expanded, after: Expanded): readonly GuestEvent[] {
  const devices = planDevices(before.devices, after.devices).map(({ action, name, device }): GuestEvent => {
    return { type: 'device', metadata: { action, config: sortedCopy(device), name } };
  });
  return [...configEvents(before.config, after.config), ...devices];
}

function configEvents(before: Config, after: Config): GuestEvent[] {
  const guestKeys = hasGuestKeys(after);
  const isTold = (key: string) => key.startsWith('user.') || (guestKeys && isGuestKey(key));
  const keys = sortedKeys({ ...before, ...after }).filter(isTold);
  return keys.flatMap((key): GuestEvent[] => {
    const oldValue = own(before, key) ?? '';
    const value = own(after, key) ?? '';
    return value === oldValue ? [] : [{ type: 'config', metadata: { key, old_value: oldValue, value } }];
  });
}
