import { isTrue } from './booleans.ts';
import type { Config, Device, Devices, Instance } from './entities.ts';
import { listEtag, valueEtags } from './etags.ts';
import type { Expanded } from './expand.ts';
import { hasGuestKeys } from './guest-keys.ts';
import { metaDataText } from './meta-data.ts';
import { own, recordOf, sortedCopy, sortedKeys } from './records.ts';
import { mergedConfig } from './ssh-keys.ts';
import type { GuestView } from './view.ts';
import { hwaddrOf } from './volatile-nics.ts';

/**
 * Makes the view of an instance.
 * @param location the host's name
 * @param warn called for each text that ssh keys could not be merged into
 * @param previous the view before; its ETags are used again where the value has not changed
 */
export function buildView(
  instance: Instance,
  expanded: Expanded,
  location: string,
  warn: (warning: string) => void = () => {},
  previous?: GuestView,
): GuestView {
  const { config, listed, warnings } = mergedConfig(expanded.config);
  for (const warning of warnings) warn(warning);
  return {
    instanceId: instance.id,
    name: instance.name,
    devlxd: isTrue(own(expanded.config, 'security.devlxd'), true),
    allowsImages: isTrue(own(expanded.config, 'security.devlxd.images'), false),
    allowsGuestConfig: hasGuestKeys(expanded.config),
    ready: isTrue(own(instance.config, 'volatile.last_state.ready'), false),
    location,
    config,
    listed,
    etags: valueEtags(config, previous),
    listEtag: listEtag(listed),
    devices: shownDevices(expanded.devices, instance.config),
    metaData: metaData(instance, expanded.config),
  };
}

function shownDevices(devices: Devices, config: Config): Devices {
  return recordOf(
    sortedKeys(devices).map((name) => [name, shownDevice(name, devices[name]!, config)] as const),
  );
}

/** A nic shows its address, also if it was not configured; LXD adds nothing else from volatile keys. */
function shownDevice(name: string, device: Device, config: Config): Device {
  const hwaddr = own(device, 'type') === 'nic' ? hwaddrOf(config, name, device) : undefined;
  return sortedCopy(hwaddr ? { ...device, hwaddr } : device);
}

function metaData(instance: Instance, config: Config): string {
  const id = own(instance.config, 'volatile.cloud-init.instance-id') || instance.name;
  return metaDataText(id, instance.name, own(config, 'user.meta-data') ?? '');
}
