import { isIP } from 'node:net';
import { hostError } from './host-errors.ts';

/** The limit of a label of a host name; a member's name is part of keys of etcd, of URLs and of lists. */
const MEMBER_NAME_MAX = 63;

const PORT_MAX = 65_535;

/** Names that a message lists before it only counts the others. */
const NAMES_SHOWN_MAX = 10;

/** @throws member-name-invalid for a name that is no host name */
export function checkMemberName(name: string): void {
  const fits = name.length >= 1 && name.length <= MEMBER_NAME_MAX;
  if (fits && /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(name)) return;
  throw hostError('member-name-invalid', JSON.stringify(name.slice(0, MEMBER_NAME_MAX)));
}

/**
 * Checks the address at which other members find a member.
 * @param address `HOST:PORT`; an IPv6 address as HOST is in brackets
 * @throws member-address-invalid for another form, and for an address that means every address of a host
 */
export function checkMemberAddress(address: string): void {
  const [, bracketed, plain, port] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(address) ?? [];
  const host = bracketed ?? plain ?? '';
  const isHost = bracketed === undefined ? host !== '' : isIP(host) === 6;
  const isPort = Number(port) >= 1 && Number(port) <= PORT_MAX;
  if (!isHost || !isPort) throw hostError('member-address-invalid', address, 'give HOST:PORT');
  if (isWildcard(host))
    throw hostError('member-address-invalid', address, 'other members cannot connect to it');
}

function isWildcard(host: string): boolean {
  return /^[0.]+$/.test(host) || (isIP(host) === 6 && /^[0:]+$/.test(host));
}

/** A member that another one removes. */
export interface Removal {
  readonly name: string;
  readonly online: boolean;
  /** Names of its instances. */
  readonly instances: readonly string[];
  readonly force: boolean;
}

/**
 * Checks whether a member may be removed by another one: it must be gone, and its instances are only given up by force.
 * @param own the name of the member that is asked
 * @throws member-own, member-online, member-has-instances
 */
export function checkRemoval(own: string, { name, online, instances, force }: Removal): void {
  if (name === own) throw hostError('member-own', name);
  if (online) throw hostError('member-online', name);
  if (instances.length > 0 && !force) throw hostError('member-has-instances', name, someOf(instances));
}

function someOf(names: readonly string[]): string {
  const sorted = [...names].sort();
  const more = sorted.length - NAMES_SHOWN_MAX;
  return sorted.slice(0, NAMES_SHOWN_MAX).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
