import { randomBytes } from 'node:crypto';
import type { Device } from '../../core/entities.ts';
import { hostError } from '../../core/host-errors.ts';
import { parseBits } from '../../core/units.ts';
import { run } from '../../process/run.ts';
import type { Init } from '../contract/runtime.ts';
import { nicReason } from './reasons.ts';

/** A host side interface name that is free: `veth` and 8 hex digits, as LXD names them. */
export function newHostName(): string {
  return `veth${randomBytes(4).toString('hex')}`;
}

/**
 * Gives a running instance one more network interface: a veth pair whose inner end is moved into the network
 * namespace of its init.
 * @throws CodedError runtime-failed with the reason, and what ip(8) says
 */
export async function plugNic(init: Init, device: Device, hostName: string): Promise<void> {
  const inner = newHostName();
  const outer = `The host's interface "${hostName}"`;
  await ip(`${outer} cannot be made`, ['add', hostName, 'type', 'veth', 'peer', 'name', inner]);
  try {
    const { parent, mtu, hwaddr, name } = device;
    const change = (what: string, one: string, ...words: string[]) => ip(what, ['set', one, ...words]);
    if (parent)
      await change(`"${parent}" takes no interfaces, as a bridge would`, hostName, 'master', parent);
    if (mtu) await change(`${outer} cannot have the MTU ${mtu}`, hostName, 'mtu', mtu);
    if (mtu) await change(`The interface cannot have the MTU ${mtu}`, inner, 'mtu', mtu);
    if (hwaddr) await change(`The interface cannot have the address ${hwaddr}`, inner, 'address', hwaddr);
    await change(`${outer} cannot be used`, hostName, 'up');
    const moved = name
      ? `The instance takes no interface with the name "${name}"`
      : 'The instance takes no interface';
    await change(moved, inner, 'netns', String(init.pid), ...(name ? ['name', name] : []));
    // ip(8) knows the init only by its pid: it was this process if it is still alive.
    if (!init.isAlive()) throw hostError('not-running');
  } catch (error) {
    await unplugNic(hostName);
    throw error;
  }
}

/** Removes an interface, both ends; not an error if it is gone already. */
export async function unplugNic(hostName: string): Promise<void> {
  await run('ip', ['link', 'delete', hostName]);
}

/** KiB that may pass at once above the rate: tc(8) needs this much to reach the rate with full packets. */
const BURST_KIB = 1024;

/**
 * Sets `limits.ingress` and `limits.egress` (towards and from the instance; `limits.max` is both) on the host
 * side of an interface, or removes them.
 */
export async function limitNic(hostName: string, device: Device): Promise<void> {
  const ingress = device['limits.ingress'] ?? device['limits.max'];
  const egress = device['limits.egress'] ?? device['limits.max'];
  await run('tc', ['qdisc', 'del', 'dev', hostName, 'root']);
  await run('tc', ['qdisc', 'del', 'dev', hostName, 'ingress']);
  if (ingress) {
    const rate = `${parseBits(ingress)}bit`;
    await tc(
      ingress,
      'qdisc',
      'add',
      'dev',
      hostName,
      'root',
      'tbf',
      'rate',
      rate,
      'burst',
      `${BURST_KIB}kb`,
      'latency',
      '50ms',
    );
  }
  if (egress) {
    const police = ['police', 'rate', `${parseBits(egress)}bit`, 'burst', `${BURST_KIB}kb`, 'drop'];
    await tc(egress, 'qdisc', 'add', 'dev', hostName, 'handle', 'ffff:', 'ingress');
    await tc(egress, 'filter', 'add', 'dev', hostName, 'parent', 'ffff:', 'matchall', 'action', ...police);
  }
}

async function ip(what: string, words: readonly string[]): Promise<void> {
  const result = await run('ip', ['link', ...words]);
  if (!result.ok) throw hostError('runtime-failed', nicReason(what, result.failure));
}

async function tc(rate: string, ...words: string[]): Promise<void> {
  const result = await run('tc', words);
  if (!result.ok)
    throw hostError('runtime-failed', nicReason(`The rate "${rate}" cannot be had`, result.failure));
}
