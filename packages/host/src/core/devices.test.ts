import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CodedError } from '../base/coded-error.ts';
import {
  checkDevices,
  checkExpandedDevices,
  checkRootDisk,
  DEVICE_OPTIONS_MAX,
  DEVICES_MAX,
} from './devices.ts';
import type { Devices } from './entities.ts';

const check = (devices: unknown) => checkDevices(devices as Devices);
const root = { type: 'disk', path: '/', pool: 'default' };
const bridged = { type: 'nic', nictype: 'bridged', parent: 'br0' };

describe('checkDevices', () => {
  it.each([
    [root],
    [{ ...root, 'boot.priority': '1' }],
    [{ type: 'none' }],
    [{ type: 'disk', source: '/srv', path: '/mnt', readonly: 'true', required: 'no', 'user.x': '\n' }],
    [{ type: 'disk', source: '/srv', path: '/mnt', recursive: 'true', readonly: 'false' }],
    [bridged],
    [
      {
        type: 'nic',
        nictype: 'p2p',
        name: 'eth0',
        hwaddr: '00:16:3e:00:00:01',
        mtu: '1400',
        host_name: 'veth1',
      },
    ],
    [{ ...bridged, 'limits.ingress': '10Mbit', 'limits.egress': '5Mbit', 'limits.max': '' }],
    [{ type: 'unix-char', path: '/dev/fuse', mode: '0660', uid: '0', gid: '5' }],
    [{ type: 'unix-char', source: '/dev/x', major: '10', minor: '229', required: 'false' }],
  ])('accepts %o', (device) => expect(() => check({ d: device })).not.toThrow());

  it('leaves out empty options, but refuses those that the type does not have', () => {
    expect(check({ d: { ...root, 'boot.priority': '', 'user.x': '' } })).toEqual({ d: root });
    expect(() => check({ d: { type: 'none', nothing: '' } })).toThrow('Invalid device option "nothing"');
  });

  const failed = 'Device validation failed for "d": ';
  it.each([
    [{}, 'Failed loading device "d": Missing device type in config'],
    [{ type: 'gpu' }, 'Failed loading device "d": Unsupported device type'],
    [{ type: 'constructor' }, 'Failed loading device "d": Unsupported device type'],
    [{ type: 'nic' }, 'Failed loading device "d": Unsupported device type'],
    [{ type: 'nic', nictype: 'macvlan' }, 'Failed loading device "d": Unsupported device type'],
    [{ type: 'nic', network: 'lxdbr0' }, 'Failed loading device "d": Unsupported device type'],
    [{ type: 'none', x: 'y' }, `${failed}Invalid device option "x"`],
    [{ type: 'none', toString: 'y' }, `${failed}Invalid device option "toString"`],
    [{ ...root, 'size.state': '1GB' }, `${failed}Device option "size.state" is not supported by Porthole`],
    [{ ...bridged, size: '1GB' }, `${failed}Invalid device option "size"`],
    [{ ...root, readonly: 'true' }, `${failed}Device option "readonly" is not supported by Porthole`],
    [{ ...root, mode: '1' }, `${failed}Invalid device option "mode"`],
    [{ ...bridged, vlan: '5' }, `${failed}Device option "vlan" is not supported by Porthole`],
    [
      { ...bridged, 'security.mac_filtering': 'true' },
      `${failed}Device option "security.mac_filtering" is not supported by Porthole`,
    ],
    [{ type: 'disk' }, `${failed}Disk entry is missing the required "source" or "path" property`],
    [{ type: 'disk', path: '/' }, `${failed}Root disk entry must have a "pool" property set`],
    [{ ...root, source: '/x' }, `${failed}Root disk entry may not have a "source" property set`],
    [{ ...root, pool: 'zfs' }, `${failed}Invalid value for device option "pool": Invalid value "zfs"`],
    [{ type: 'disk', source: 'x', path: '/m' }, `${failed}Source path must be absolute for local sources`],
    [{ type: 'disk', source: 'v', path: '/m', pool: 'default' }, `${failed}Storage volumes are not supp`],
    [
      { type: 'disk', source: '/v', path: '/m', pool: 'default' },
      `${failed}Storage volumes are not supported`,
    ],
    [
      { type: 'disk', source: '/a/../etc', path: '/m' },
      `${failed}Invalid value for device option "source": Path may`,
    ],
    [
      { type: 'disk', source: '/a', path: 'm' },
      `${failed}Invalid value for device option "path": Must be an absolute`,
    ],
    [
      { type: 'disk', source: '/a', path: '/m/../..' },
      `${failed}Invalid value for device option "path": Path may not`,
    ],
    [
      { type: 'disk', source: '/a', path: '/m\nx' },
      `${failed}Invalid value for device option "path": Path may not`,
    ],
    [
      { type: 'disk', source: '/a', path: '/m\0' },
      `${failed}Invalid value for device option "path": Value has a NUL`,
    ],
    [{ type: 'disk', source: '/a', path: '//' }, `${failed}The path of a root disk must be written as "/"`],
    [
      { type: 'disk', source: '/a', path: '/dev//lxd/sock' },
      `${failed}Invalid value for device option "path": /dev/lxd`,
    ],
    [
      { type: 'disk', source: '/a', path: '/m', readonly: '1', recursive: '1' },
      `${failed}Recursive read-only`,
    ],
    [{ type: 'disk', source: '/a', path: `/${'m'.repeat(4095)}` }, 'The maximum path length is 4095 bytes'],
    [
      { type: 'nic', nictype: 'bridged' },
      `${failed}Invalid value for device option "parent": Required value`,
    ],
    [{ type: 'nic', nictype: 'p2p', parent: 'br0' }, `${failed}Invalid device option "parent"`],
    [
      { ...bridged, parent: '../x' },
      `${failed}Invalid value for device option "parent": Invalid interface name`,
    ],
    [
      { ...bridged, name: 'x'.repeat(16) },
      `${failed}Invalid value for device option "name": Invalid interface name`,
    ],
    [{ ...bridged, name: 'a b' }, `${failed}Invalid value for device option "name": Invalid interface name`],
    [
      { ...bridged, hwaddr: '00:16:3e:00:00' },
      `${failed}Invalid value for device option "hwaddr": Invalid MAC address, must be 6`,
    ],
    [
      { ...bridged, hwaddr: '01:16:3e:00:00:01' },
      `${failed}Invalid value for device option "hwaddr": Invalid MAC`,
    ],
    [
      { ...bridged, mtu: '10' },
      `${failed}Invalid value for device option "mtu": Invalid value for an integer`,
    ],
    [
      { ...bridged, 'limits.max': 'fast' },
      `${failed}Invalid value for device option "limits.max": Invalid rate "fast"`,
    ],
    [{ type: 'unix-char' }, `${failed}Unix device entry is missing the required "source" or "path" property`],
    [
      { type: 'unix-char', source: '/etc/passwd', path: '/dev/x' },
      `${failed}Invalid value for device option "source": Path needs to be in /dev`,
    ],
    [
      { type: 'unix-char', source: 'dev/null', path: '/dev/x' },
      `${failed}Invalid value for device option "source": Path needs to be in /dev`,
    ],
    [
      { type: 'unix-char', source: '/dev/../etc/passwd', path: '/dev/x' },
      `${failed}Invalid value for device option "source": Path may not contain ".."`,
    ],
    [
      { type: 'unix-char', path: '/dev/x', mode: '999' },
      `${failed}Invalid value for device option "mode": Invalid value`,
    ],
    [{ type: 'none', 'user.x': 1 }, `${failed}Invalid value for device option "user.x": Not a string`],
    [
      { type: 'none', 'user.x': '\ud800' },
      `${failed}Invalid value for device option "user.x": Value is not valid UTF-8`,
    ],
    [{ type: 'none', 'user.\n': '' }, `${failed}Invalid device option "user.\\n"`],
    ['nic', `${failed}Device is not a mapping`],
  ])('refuses %o', (device, text) => expect(() => check({ d: device })).toThrow(text as string));

  it('limits the number of devices and of their options', () => {
    const many = (count: number, value: unknown) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`user.${i}`, value]));
    check(many(DEVICES_MAX, { type: 'none' }));
    expect(() => check(many(DEVICES_MAX + 1, { type: 'none' }))).toThrow(
      'The maximum number of devices is 256',
    );
    expect(() => check({ d: { type: 'none', ...many(DEVICE_OPTIONS_MAX, 'x') } })).toThrow(
      'The maximum number of device options',
    );
  });

  it('throws only coded errors, for any input', () => {
    const type = fc.constantFrom('disk', 'nic', 'unix-char', 'none', 'x');
    const option = fc.constantFrom(
      'path',
      'source',
      'nictype',
      'parent',
      'hwaddr',
      'mtu',
      '__proto__',
      'toString',
    );
    const device = fc
      .tuple(type, fc.dictionary(option, fc.oneof(fc.string(), fc.anything())))
      .map(([t, o]) => ({ ...o, type: t }));
    fc.assert(
      fc.property(
        fc.oneof(fc.anything(), fc.dictionary(fc.string(), fc.oneof(device, fc.anything()))),
        (devices) => {
          try {
            check(devices);
          } catch (error) {
            expect(error).toBeInstanceOf(CodedError);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'takes %s for the name of a device, but knows no option of that name',
    (name) => {
      expect(() => check({ [name]: { type: 'none', [`user.${name}`]: 'x' } })).not.toThrow();
      expect(() => check({ a: { type: 'none', [name]: 'x' } })).toThrow(`Invalid device option "${name}"`);
    },
  );
});

describe('checkExpandedDevices', () => {
  it('requires a root disk', () => {
    const text = 'No root device could be found';
    expect(() => checkExpandedDevices({ eth0: bridged })).toThrow(
      `Failed detecting root disk device: ${text}`,
    );
    expect(() => checkRootDisk({ root: { type: 'none' } })).toThrow(text);
    expect(() => checkExpandedDevices({ root })).not.toThrow();
  });

  it('refuses two disks at one path, also if it is written in two ways', () => {
    const disk = (path: string) => ({ type: 'disk', source: '/srv', path });
    const text = 'More than one disk device uses the same path "/mnt"';
    expect(() => checkExpandedDevices({ root, a: disk('/mnt'), b: disk('/mnt/./') })).toThrow(text);
    expect(() => checkExpandedDevices({ root, other: root })).toThrow('uses the same path "/"');
    expect(() => checkExpandedDevices({ root, a: disk('/mnt'), b: disk('/mnt/b') })).not.toThrow();
  });

  it('refuses two nics with one name, from their options or from volatile keys', () => {
    const eth0 = { ...bridged, name: 'eth0' };
    const text = 'More than one nic device uses the same name "eth0"';
    expect(() => checkExpandedDevices({ root, a: eth0, b: eth0 })).toThrow(text);
    expect(() => checkExpandedDevices({ root, a: bridged, b: eth0 }, { 'volatile.a.name': 'eth0' })).toThrow(
      text,
    );
    expect(() =>
      checkExpandedDevices({ root, a: { type: 'none' }, b: eth0 }, { 'volatile.a.name': 'eth0' }),
    ).not.toThrow();
  });
});
