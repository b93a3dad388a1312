import type { Config, Device, Devices } from './entities.ts';
import type { Random } from './random.ts';
import { copyOf, own, sortedKeys } from './records.ts';

/** The options that the server keeps for a device, as `volatile.<device>.<option>`. */
export const DEVICE_VOLATILE_OPTIONS = [
  'apply_quota',
  'created',
  'driver',
  'host_name',
  'hwaddr',
  'id',
  'mtu',
  'name',
  'uuid',
  'vlan',
] as const;

/** The config key of an option that the server keeps for a device. */
export function volatileKey(device: string, option: (typeof DEVICE_VOLATILE_OPTIONS)[number]): string {
  return `volatile.${device}.${option}`;
}

/**
 * Adds to an instance's config, for each nic without them, an address and the first free `ethN` as name. Removes kept
 * values that an option of the nic replaces: clients would take them for the nic's.
 * @param devices expanded
 */
export function assignNics(config: Config, devices: Devices, random: Random): Config {
  const assigned = copyOf(config);
  const nics = nicsOf(devices);
  for (const [name, nic] of nics) {
    for (const option of ['hwaddr', 'name'] as const) {
      if (own(nic, option)) delete assigned[volatileKey(name, option)];
    }
  }
  const taken = new Set(nics.flatMap(([name, nic]) => interfaceName(assigned, name, nic) ?? []));
  const addresses = new Set(nics.flatMap(([name, nic]) => hwaddrOf(assigned, name, nic) ?? []));
  for (const [name, nic] of nics) {
    if (!hwaddrOf(assigned, name, nic)) assigned[volatileKey(name, 'hwaddr')] = newHwaddr(addresses, random);
    if (!interfaceName(assigned, name, nic)) assigned[volatileKey(name, 'name')] = firstFree(taken);
  }
  return assigned;
}

/** Names of an instance's network interfaces, sorted: configured, else kept, else those of the devices. */
export function nicNames(devices: Devices, config: Config): string[] {
  return nicsOf(devices)
    .map(([name, nic]) => interfaceName(config, name, nic) ?? name)
    .sort();
}

/** The address of a nic: the configured one, else the kept one; undefined if it has none yet. */
export function hwaddrOf(config: Config, name: string, nic: Device): string | undefined {
  return own(nic, 'hwaddr') || own(config, volatileKey(name, 'hwaddr')) || undefined;
}

function interfaceName(config: Config, name: string, nic: Device): string | undefined {
  return own(nic, 'name') || own(config, volatileKey(name, 'name')) || undefined;
}

function nicsOf(devices: Devices): (readonly [string, Device])[] {
  return sortedKeys(devices)
    .map((name) => [name, devices[name]!] as const)
    .filter(([, device]) => own(device, 'type') === 'nic');
}

/** The prefix of the addresses that LXD gives to nics; it is registered for Xen. */
const HWADDR_PREFIX = '00:16:3e';

/** Invariant: no two nics of one instance share an address. */
function newHwaddr(taken: Set<string>, random: Random): string {
  let suffix = Buffer.from(random.bytes(3)).readUIntBE(0, 3);
  for (;;) {
    const digits = suffix.toString(16).padStart(6, '0');
    const address = [HWADDR_PREFIX, ...(digits.match(/../g) ?? [])].join(':');
    if (!taken.has(address)) {
      taken.add(address);
      return address;
    }
    suffix = (suffix + 1) % 2 ** 24;
  }
}

function firstFree(taken: Set<string>): string {
  for (let number = 0; ; number++) {
    const name = `eth${number}`;
    if (taken.has(name)) continue;
    taken.add(name);
    return name;
  }
}
