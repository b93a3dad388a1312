import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Config, Devices } from './entities.ts';
import { guestEvents } from './guest-events.ts';

const expanded = (config: Config, devices: Devices = {}) => ({ config, devices });

describe('guestEvents', () => {
  it('has only user keys, sorted by key; the value of a missing key is empty', () => {
    const before = expanded({
      'user.b': '1',
      'user.gone': 'x',
      'security.nesting': 'true',
      'user.same': '1',
    });
    const after = expanded({ 'user.b': '2', 'user.a': 'new', 'cloud-init.user-data': 'x', 'user.same': '1' });
    expect(guestEvents(before, after)).toEqual([
      { type: 'config', metadata: { key: 'user.a', old_value: '', value: 'new' } },
      { type: 'config', metadata: { key: 'user.b', old_value: '1', value: '2' } },
      { type: 'config', metadata: { key: 'user.gone', old_value: 'x', value: '' } },
    ]);
  });

  it('has guest keys only while the instance may write them', () => {
    const on = { 'security.devlxd.guest_config': 'true' };
    const told = (before: Config, after: Config) =>
      guestEvents(expanded(before), expanded(after)).map(({ metadata }) => 'key' in metadata && metadata.key);
    expect(told(on, { ...on, 'guest.a': '1', 'user.b': '1' })).toEqual(['guest.a', 'user.b']);
    expect(told({ ...on, 'guest.a': '1' }, on)).toEqual(['guest.a']);
    expect(told({ 'guest.a': '1' }, { 'guest.a': '2' })).toEqual([]);
  });

  it('has config events first, then those of removed, updated and added devices', () => {
    const before = expanded({}, { old: { type: 'disk' }, n: { type: 'nic' } });
    const after = expanded(
      { 'user.a': '1' },
      { n: { type: 'nic', 'limits.max': '1Mbit' }, new: { type: 'disk' } },
    );
    const told = guestEvents(before, after).map(({ type, metadata }) =>
      'action' in metadata ? metadata.action : type,
    );
    expect(told).toEqual(['config', 'removed', 'updated', 'added']);
  });

  it('has all keys sorted, as LXD prints them', () => {
    const mnt = { type: 'disk', source: '/srv', path: '/mnt' };
    const [event] = guestEvents(expanded({}), expanded({}, { mnt }));
    const config = '{"path":"/mnt","source":"/srv","type":"disk"}';
    expect(JSON.stringify(event?.metadata)).toBe(`{"action":"added","config":${config},"name":"mnt"}`);
  });

  it('is empty if nothing changes, and reversed if the change is reversed', () => {
    const configs = fc.dictionary(
      fc.constantFrom('user.a', 'user.__proto__', 'limits.cpu'),
      fc.string({ minLength: 1 }),
    );
    fc.assert(
      fc.property(configs, configs, (one, other) => {
        expect(guestEvents(expanded(one), expanded({ ...one }))).toEqual([]);
        const swap = ({ key, value, old_value }: Readonly<Record<string, unknown>>) => ({
          key,
          value: old_value,
          old_value: value,
        });
        const there = guestEvents(expanded(one), expanded(other)).map(({ metadata }) => metadata);
        const back = guestEvents(expanded(other), expanded(one)).map(({ metadata }) => swap(metadata));
        expect(back).toEqual(there);
      }),
    );
  });
});
