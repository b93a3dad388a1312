import { describe, expect, it } from 'vitest';
import type { Config, Devices, Instance } from './entities.ts';
import { etagOf } from './etags.ts';
import { expand } from './expand.ts';
import { buildView } from './view-build.ts';

function viewOf(config: Config, devices: Devices = {}, profile: Config = {}) {
  const instance: Instance = {
    id: 7,
    name: 'c1',
    architecture: 'x86_64',
    description: '',
    ephemeral: false,
    profiles: ['p'],
    config,
    devices,
    createdAt: '2026-01-01T00:00:00Z',
    lastStartedAt: '2026-01-01T00:00:00Z',
  };
  const profiles = new Map([['p', { name: 'p', description: '', config: profile, devices: {} }]]);
  const warnings: string[] = [];
  const view = buildView(instance, expand(instance, profiles), 'myhost', (warning) => warnings.push(warning));
  return { view, warnings };
}

describe('buildView', () => {
  it('gives an empty config the guest API on, images off and readiness off', () => {
    const { view } = viewOf({});
    expect(view).toMatchObject({
      instanceId: 7,
      name: 'c1',
      devlxd: true,
      allowsImages: false,
      ready: false,
      location: 'myhost',
    });
    expect([view.listed, [...view.config], Object.keys(view.devices)]).toEqual([[], [], []]);
  });

  it('gives an ETag to each value and to the list', () => {
    const { view } = viewOf({ 'user.a': '1', 'cloud-init.ssh-keys.k': 'root:gh:u1', 'limits.cpu': '1' });
    expect([...view.etags.keys()]).toEqual([...view.config.keys()]);
    expect(view.etags.get('user.a')).toBe(etagOf('1'));
    expect(view.listEtag).toBe(
      viewOf({ 'user.a': '2', 'cloud-init.ssh-keys.k': 'root:gh:u1' }).view.listEtag,
    );
    expect(view.listEtag).not.toBe(viewOf({ 'user.b': '1' }).view.listEtag);
  });

  it('shows the keys that the instance writes itself only if they are switched on', () => {
    const { view } = viewOf({ 'guest.a': '1', 'user.b': '2' });
    expect([view.allowsGuestConfig, view.listed, view.config.get('guest.a')]).toEqual([
      false,
      ['user.b'],
      undefined,
    ]);
    const on = viewOf({ 'guest.a': '1', 'user.b': '2' }, {}, { 'security.devlxd.guest_config': 'yes' }).view;
    expect([on.allowsGuestConfig, on.listed, on.config.get('guest.a')]).toEqual([
      true,
      ['guest.a', 'user.b'],
      '1',
    ]);
  });

  it('takes switches from profiles, but not readiness', () => {
    const profile = {
      'security.devlxd': 'no',
      'security.devlxd.images': 'on',
      'volatile.last_state.ready': 'true',
    };
    expect(viewOf({}, {}, profile).view).toMatchObject({ devlxd: false, allowsImages: true, ready: false });
    expect(viewOf({ 'volatile.last_state.ready': 'true' }).view.ready).toBe(true);
  });

  it('shows only user and cloud-init keys, nothing of the host', () => {
    const { view } = viewOf(
      { 'user.b': '1', 'volatile.uuid': 'x', 'limits.cpu': '1' },
      {},
      { 'user.a': '2' },
    );
    expect([...view.config]).toEqual([
      ['user.a', '2'],
      ['user.b', '1'],
    ]);
    expect(view.config.has('constructor')).toBe(false);
  });

  it('shows devices sorted on both levels, and a nic with its kept address', () => {
    const devices = {
      z: { type: 'disk', path: '/', pool: 'default' },
      eth0: { type: 'nic', nictype: 'p2p' },
    };
    const kept = {
      'volatile.eth0.hwaddr': '00:16:3e:00:00:01',
      'volatile.eth0.name': 'eth7',
      'volatile.z.hwaddr': 'x',
    };
    expect(JSON.stringify(viewOf(kept, devices).view.devices)).toBe(
      '{"eth0":{"hwaddr":"00:16:3e:00:00:01","nictype":"p2p","type":"nic"},"z":{"path":"/","pool":"default","type":"disk"}}',
    );
  });

  it('prefers the configured address of a nic', () => {
    const devices = { n: { type: 'nic', hwaddr: '00:16:3e:00:00:02' } };
    expect(viewOf({ 'volatile.n.hwaddr': 'x' }, devices).view.devices['n']?.['hwaddr']).toBe(
      '00:16:3e:00:00:02',
    );
  });

  it('makes the exact text of meta-data', () => {
    expect(viewOf({}).view.metaData).toBe('#cloud-config\ninstance-id: c1\nlocal-hostname: c1\n');
    const config = { 'volatile.cloud-init.instance-id': 'i-1', 'user.meta-data': 'a: 1' };
    expect(viewOf(config).view.metaData).toBe('#cloud-config\ninstance-id: i-1\nlocal-hostname: c1\na: 1');
  });

  it('warns of texts that ssh keys cannot be merged into', () => {
    const { warnings } = viewOf({ 'cloud-init.ssh-keys.k': 'root:gh:a', 'user.user-data': '#!/bin/sh' });
    expect(warnings).toEqual(['user.user-data: ssh keys are not merged, it is no cloud-config mapping']);
  });
});
