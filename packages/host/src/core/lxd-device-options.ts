import { type ByDeviceType, rowFor } from './device-types.ts';
import type { Device } from './entities.ts';
import { hostError } from './host-errors.ts';

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Options that LXD 5.0 has, by its documentation, and that Porthole has not for all devices of the type. */
export const LXD_OPTIONS: ByDeviceType<ReadonlySet<string>> = {
  none: new Set(),
  disk: words(`
    limits.read limits.write limits.max size size.state propagation shift raw.mount.options readonly recursive
    required ceph.user_name ceph.cluster_name
  `),
  nic: words(`
    network ipv4.address ipv6.address ipv4.routes ipv6.routes ipv4.routes.external ipv6.routes.external
    security.mac_filtering security.ipv4_filtering security.ipv6_filtering security.port_isolation
    maas.subnet.ipv4 maas.subnet.ipv6 vlan vlan.tagged queue.tx.length
  `),
  'unix-char': new Set(),
};

/** The error for an option that a device may not have: LXD's text, or that Porthole lacks what LXD has. */
export function optionError(device: Device, option: string): Error {
  if (rowFor(LXD_OPTIONS, device)?.has(option))
    return hostError('bad-request', `Device option "${option}" is not supported by Porthole`);
  return hostError('bad-request', `Invalid device option "${option}"`);
}
