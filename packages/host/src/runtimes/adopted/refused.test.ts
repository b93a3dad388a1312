import { describe, expect, it } from 'vitest';
import type { Device } from '../../core/entities.ts';
import { checkAdoptedConfig, checkAdoptedDevice } from './refused.ts';

describe('checkAdoptedConfig', () => {
  it('accepts keys that the guest API shows, and keys that the daemon keeps', () => {
    const keys = ['user.a', 'cloud-init.user-data', 'security.devlxd', 'volatile.uuid', 'image.os'];
    expect(() => checkAdoptedConfig(Object.fromEntries(keys.map((key) => [key, '1'])))).not.toThrow();
  });

  it.each([
    'limits.memory',
    'limits.kernel.nofile',
    'raw.lxc',
    'security.privileged',
    'boot.autostart',
    'environment.A',
  ])('refuses %s', (key) => {
    expect(() => checkAdoptedConfig({ 'user.a': '1', [key]: '1' })).toThrow(
      `"${key}" of an adopted instance can be set only by its own runtime`,
    );
  });
});

describe('checkAdoptedDevice', () => {
  it.each<[string, Device, string | null]>([
    ['the root disk', { type: 'disk', path: '/', pool: 'default' }, null],
    ['a hidden device', { type: 'none' }, null],
    ['a nic as it is', { type: 'nic', nictype: 'p2p', hwaddr: '00:16:3e:00:00:01' }, null],
    ['a nic without its address', { type: 'nic', nictype: 'p2p' }, 'needs the hwaddr that it has'],
    [
      'a nic with limits',
      { type: 'nic', nictype: 'p2p', hwaddr: '00:16:3e:00:00:01', 'limits.max': '1Mbit' },
      'set only by its own runtime',
    ],
    ['a disk', { type: 'disk', path: '/mnt', source: '/usr' }, 'mounted only by its own runtime'],
    ['a device node', { type: 'unix-char', path: '/dev/null' }, 'mounted only by its own runtime'],
  ])('checks %s', (_what, device, refusal) => {
    const check = () => checkAdoptedDevice('d', device);
    if (refusal === null) expect(check).not.toThrow();
    else expect(check).toThrow(refusal);
  });
});
