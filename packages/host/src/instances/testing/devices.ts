import type { Device } from '../../core/entities.ts';

/** A folder of the host, at a path inside. */
export const disk = (path: string, part: Device = {}): Device => ({
  type: 'disk',
  source: '/srv/data',
  path,
  ...part,
});

/** A network interface. */
export const nic = (part: Device = {}): Device => ({ type: 'nic', nictype: 'p2p', ...part });
