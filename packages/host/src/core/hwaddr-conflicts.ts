import type { Device } from './entities.ts';
import type { Expanded } from './expand.ts';
import { own } from './records.ts';
import { hwaddrOf } from './volatile-nics.ts';

/**
 * The address that an operator has given to a nic, if another nic at the same bridge has it too: the bridge would
 * send frames for both to the one that spoke last. Nics at different bridges, and those without a bridge, may share one.
 * @param mine the instance of the nic
 * @param others the other instances
 */
export function takenHwaddr(name: string, mine: Expanded, others: Iterable<Expanded>): string | undefined {
  const nic = mine.devices[name];
  if (!nic || !isBridged(nic)) return undefined;
  const address = own(nic, 'hwaddr')?.toLowerCase();
  if (!address) return undefined;
  const isSame = ({ config }: Expanded, [other, device]: [string, Device]) =>
    isBridged(device) &&
    own(device, 'parent') === own(nic, 'parent') &&
    hwaddrOf(config, other, device)?.toLowerCase() === address;
  if (Object.entries(mine.devices).some((entry) => entry[0] !== name && isSame(mine, entry))) return address;
  for (const other of others)
    if (Object.entries(other.devices).some((entry) => isSame(other, entry))) return address;
  return undefined;
}

function isBridged(device: Device): boolean {
  return own(device, 'type') === 'nic' && own(device, 'nictype') === 'bridged';
}
