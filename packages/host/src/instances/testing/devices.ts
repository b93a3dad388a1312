import type { Device } from '../../core/entities.ts';

/** A disk that mounts a folder of the host at a path inside. */
export const disk = (path: string, part: Device = {}): Device => ({
  type: 'disk',
  source: '/srv/data',
  path,
  ...part,
});

export const nic = (part: Device = {}): Device => ({ type: 'nic', nictype: 'p2p', ...part });
