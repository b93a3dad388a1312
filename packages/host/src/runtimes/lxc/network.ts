import { randomBytes } from 'node:crypto';
import type { Device } from '../../core/entities.ts';
import { hostError } from '../../core/host-errors.ts';
import { parseBits } from '../../core/units.ts';
import { run } from '../../process/run.ts';
import type { Init } from '../contract/runtime.ts';

/** A host side interface name that is free: `veth` and 8 hex digits, as LXD names them. */
export function newHostName(): string {
  return `veth${randomBytes(4).toString('hex')}`;
}

/**
 * Gives a running instance one more network interface: a veth pair whose inner end is moved into the network
 * namespace of its init.
 * @throws CodedError runtime-failed with what ip(8) says
 */
export async function plugNic(init: Init, device: Device, hostName: string): Promise<void> {
  const inner = newHostName();
  await ip('link', 'add', hostName, 'type', 'veth', 'peer', 'name', inner);
  try {
    const { parent, mtu, hwaddr, name } = device;
    if (parent) await ip('link', 'set', hostName, 'master', parent);
    if (mtu) await ip('link', 'set', hostName, 'mtu', mtu);
    if (mtu) await ip('link', 'set', inner, 'mtu', mtu);
    if (hwaddr) await ip('link', 'set', inner, 'address', hwaddr);
    await ip('link', 'set', hostName, 'up');
    await ip('link', 'set', inner, 'netns', String(init.pid), ...(name ? ['name', name] : []));
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
    await tc('qdisc', 'add', 'dev', hostName, 'handle', 'ffff:', 'ingress');
    await tc('filter', 'add', 'dev', hostName, 'parent', 'ffff:', 'matchall', 'action', ...police);
  }
}

async function ip(...args: string[]): Promise<void> {
  const result = await run('ip', args);
  if (!result.ok) throw hostError('runtime-failed', result.failure);
}

async function tc(...args: string[]): Promise<void> {
  const result = await run('tc', args);
  if (!result.ok) throw hostError('runtime-failed', result.failure);
}
