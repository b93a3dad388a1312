import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Config, Devices, Profile } from './entities.ts';
import { expand } from './expand.ts';

const profile = (name: string, config: Config, devices: Devices = {}): Profile => ({
  name,
  description: '',
  config,
  devices,
});
const mapOf = (...profiles: Profile[]) => new Map(profiles.map((each) => [each.name, each]));

describe('expand', () => {
  it('lets later profiles and the keys of the instance win', () => {
    const profiles = mapOf(profile('a', { k: '1', l: '1', m: '1' }), profile('b', { k: '2', l: '2' }));
    const { config } = expand({ profiles: ['a', 'b'], config: { k: '3' }, devices: {} }, profiles);
    expect(config).toEqual({ k: '3', l: '2', m: '1' });
  });

  it('replaces whole devices and keeps a mask visible', () => {
    const profiles = mapOf(profile('a', {}, { d: { type: 'nic', mtu: '9000' }, root: { type: 'disk' } }));
    const own = { profiles: ['a'], config: {}, devices: { d: { type: 'none' } } };
    expect(expand(own, profiles).devices).toEqual({ d: { type: 'none' }, root: { type: 'disk' } });
  });

  it('gives an adopted instance no size of a root disk from a profile', () => {
    const root = { type: 'disk', path: '/', pool: 'default' };
    const other = { type: 'nic', size: '1' };
    const profiles = mapOf(profile('a', {}, { root: { ...root, size: '1GiB' }, other }));
    const adopted = { profiles: ['a'], config: { 'volatile.adopted': '1:2:3' }, devices: {} };
    expect(expand(adopted, profiles).devices).toEqual({ root, other });
    const devices = { root: { ...root, size: '2GiB' } };
    expect(expand({ ...adopted, devices }, profiles).devices).toEqual({ ...devices, other });
    expect(expand({ ...adopted, config: {} }, profiles).devices['root']?.['size']).toBe('1GiB');
  });

  it('refuses a profile that does not exist', () => {
    expect(() => expand({ profiles: ['toString'], config: {}, devices: {} }, new Map())).toThrow(
      'Profile not found',
    );
  });

  it('has only the given keys, also those named like properties of objects', () => {
    const config = JSON.parse('{"__proto__":"x","constructor":"y"}') as Config;
    const expanded = expand({ profiles: [], config, devices: {} }, new Map());
    expect(Object.keys(expanded.config)).toEqual(['__proto__', 'constructor']);
    expect(expanded.config['toString']).toBeUndefined();
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  const configs = fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__', 'toString'), fc.string());

  it('gives the config of the instance if it has no profiles', () => {
    fc.assert(
      fc.property(configs, (config) => {
        expect(
          Object.entries(expand({ profiles: [], config, devices: {} }, new Map()).config).sort(),
        ).toEqual(Object.entries(config).sort());
      }),
    );
  });

  it('gives the same result if layers are expanded one after another', () => {
    fc.assert(
      fc.property(configs, configs, configs, (one, two, three) => {
        const profiles = mapOf(profile('1', one), profile('2', two));
        const all = expand({ profiles: ['1', '2'], config: three, devices: {} }, profiles).config;
        const first = expand({ profiles: ['1'], config: two, devices: {} }, profiles).config;
        const then = expand(
          { profiles: ['x'], config: three, devices: {} },
          mapOf(profile('x', first)),
        ).config;
        expect(then).toEqual(all);
      }),
    );
  });
});
