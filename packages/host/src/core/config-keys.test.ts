import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CodedError } from '../base/coded-error.ts';
import { anyCharacter } from '../base/testing/any-text.ts';
import { CONFIG_KEYS, findConfigKey } from './config-key-table.ts';
import {
  CONFIG_BYTES_MAX,
  CONFIG_KEY_BYTES_MAX,
  CONFIG_KEYS_MAX,
  CONFIG_VALUE_BYTES_MAX,
  checkConfig,
  isConfigEntry,
  withoutEmpty,
} from './config-keys.ts';
import type { Config } from './entities.ts';
import { YAML_LENGTH_MAX } from './yaml-text.ts';

const check = (config: unknown, owner: 'instance' | 'profile' = 'instance') =>
  checkConfig(config as Config, owner);

describe('checkConfig', () => {
  it.each([
    ['user.foo', 'a\nb %s'],
    ['user.with space/and?more%', 'x'],
    ['user.__proto__', 'x'],
    ['user.üni', 'ü'],
    ['environment.PATH', '/bin:/usr/bin'],
    ['boot.autostart', 'Yes'],
    ['boot.autostart.priority', '-5'],
    ['security.nesting', 'false'],
    ['security.devlxd.images', '1'],
    ['limits.memory', '50%'],
    ['limits.memory', '128MiB'],
    ['limits.cpu', '2'],
    ['limits.cpu', '0-1,3'],
    ['limits.processes', '100'],
    ['limits.kernel.nofile', '1024:unlimited'],
    ['linux.sysctl.net.ipv4.ip_forward', '1'],
    ['raw.lxc', '# more\nlxc.cap.drop = sys_time\n'],
    ['cloud-init.user-data', '#!/bin/sh\n'],
    ['cloud-init.network-config', 'version: 2\n'],
    ['cloud-init.network-config', '# nothing yet\n'],
    ['cloud-init.network-config', 'null'],
    ['cloud-init.ssh-keys.me', 'root:gh:me'],
    ['image.os', 'Debian'],
    ['volatile.uuid', '00000000-0000-4000-8000-000000000000'],
    ['volatile.cloud-init.instance-id', '6E1F3AD8-4A4C-4D6F-9F5B-0D8F1C1F2A3B'],
    ['volatile.cloud-init.instance-id', 'urn:uuid:6e1f3ad8-4a4c-4d6f-9f5b-0d8f1c1f2a3b'],
    ['volatile.cloud-init.instance-id', '{6e1f3ad8-4a4c-4d6f-9f5b-0d8f1c1f2a3b}'],
    ['volatile.cloud-init.instance-id', '6e1f3ad84a4c4d6f9f5b0d8f1c1f2a3b'],
    ['volatile.eth0.hwaddr', '00:16:3E:00:00:01'],
    ['volatile.a.b.name', 'eth0'],
    ['volatile.eth0.host_name', 'veth01234567'],
    ['volatile.idmap.base', '0'],
    ['security.nesting', ''],
  ])('accepts %s = %j', (key, value) => expect(() => check({ [key]: value })).not.toThrow());

  it.each([
    ['security.nesting', 'maybe', 'Invalid value for a boolean "maybe"'],
    ['foo', 'bar', 'Unknown configuration key: foo'],
    ['user', 'x', 'Unknown configuration key: user'],
    ['user.', 'x', 'Unknown configuration key: user.'],
    ['__proto__x', 'x', 'Unknown configuration key: __proto__x'],
    ['constructor', 'x', 'Unknown configuration key: constructor'],
    ['volatile.foo', 'x', 'Unknown configuration key: volatile.foo'],
    ['volatile.eth0.speed', 'x', 'Unknown configuration key: volatile.eth0.speed'],
    ['limits.memory', '0', "Memory limit can't be 0"],
    ['limits.memory', 'lots', 'Invalid size "lots"'],
    ['limits.cpu', '0', 'Invalid value for an integer "0", must be between 1 and 8192'],
    ['limits.cpu', '3-1', 'Invalid CPU limit "3-1"'],
    ['limits.cpu', '1,,2', 'Invalid CPU limit "1,,2"'],
    ['limits.processes', '-1', 'Invalid value for an integer "-1"'],
    ['limits.kernel.files', '1', 'Unknown kernel limit "files"'],
    ['limits.kernel.nofile', '1\nlxc.hook.start = /x', 'Invalid kernel limit'],
    ['linux.sysctl.a/../b', '1', 'Invalid sysctl name "a/../b"'],
    ['linux.sysctl.a', '1\nlxc.x = y', 'Invalid value for sysctl "a"'],
    ['environment.A=B', '1', 'Invalid environment variable name "A=B"'],
    ['environment.A', '1\nlxc.x = y', 'Environment variable "A" may not have line breaks in its value'],
    ['raw.lxc', 'nonsense', 'Invalid line in raw.lxc: line 1, "nonsense"'],
    [
      'raw.lxc',
      'lxc.idmap = u 0 0 1',
      'Setting lxc.idmap through raw.lxc is not allowed: line 1, "lxc.idmap = u 0 0 1"',
    ],
    ['cloud-init.network-config', '[', 'network-config is not valid YAML'],
    ['cloud-init.network-config', 'version', 'network-config is not a mapping'],
    ['cloud-init.network-config', '- version: 2', 'network-config is not a mapping'],
    ['cloud-init.network-config', '['.repeat(20_000), 'network-config is not valid YAML'],
    ['cloud-init.network-config', 'x'.repeat(YAML_LENGTH_MAX + 1), 'The maximum length of a network-config'],
    ['cloud-init.ssh-keys.me', 'root:a\nb', 'Value may not contain line breaks'],
    ['volatile.cloud-init.instance-id', 'web1', 'Invalid UUID'],
    ['volatile.cloud-init.instance-id', '6e1f3ad8-4a4c-4d6f-9f5b', 'Invalid UUID'],
    ['volatile.cloud-init.instance-id', '6e1f3ad84a4c4d6f9f5b0d8f1c1f2a3b\nx: 1', 'Invalid UUID'],
    ['volatile.eth0.hwaddr', 'x', 'Invalid MAC address, must be 6 bytes of hex separated by colons'],
    ['volatile.eth0.host_name', 'a/b', 'Invalid interface name "a/b"'],
    ['user.a\nb', 'x', 'Configuration key "user.a\\nb" has control characters'],
    ['user.\ud800', 'x', 'Configuration key "user.\\ud800" has control characters or is not valid UTF-8'],
    ['user.a', '\ud800', 'Value of configuration key "user.a" is not valid UTF-8'],
    ['user.a', 'a\0b', 'Value of configuration key "user.a" has a NUL character'],
  ])('refuses %s = %j', (key, value, text) => expect(() => check({ [key]: value })).toThrow(text));

  it.each([
    'raw.idmap',
    'raw.seccomp',
    'raw.apparmor',
    'security.syscalls.deny',
    'security.idmap.isolated',
    'security.protection.shift',
    'nvidia.runtime',
    'migration.stateful',
    'linux.kernel_modules',
    'limits.cpu.allowance',
    'limits.memory.swap',
    'limits.hugepages.2MB',
    'snapshots.schedule',
  ])('refuses %s, which Porthole does not have', (key) => {
    expect(() => check({ [key]: 'true' })).toThrow(`Configuration key "${key}" is not supported by Porthole`);
  });

  it('refuses image and volatile keys on profiles', () => {
    expect(() => check({ 'image.os': 'x' }, 'profile')).toThrow('Image keys can only be set on instances');
    expect(() => check({ 'volatile.uuid': 'x' }, 'profile')).toThrow(
      'Volatile keys can only be set on instances',
    );
  });

  it('limits the length of keys and values, their number and their total size', () => {
    const key = `user.${'k'.repeat(CONFIG_KEY_BYTES_MAX - 5)}`;
    const value = 'v'.repeat(CONFIG_VALUE_BYTES_MAX);
    const many = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`user.${index}`, 'x']));
    check({ [key]: value });
    check(many(CONFIG_KEYS_MAX));
    expect(() => check({ [`${key}k`]: 'x' })).toThrow('The maximum configuration key length is 255 bytes');
    expect(() => check({ 'user.a': `${value}v` })).toThrow('The maximum size of configuration key "user.a"');
    expect(() => check(many(CONFIG_KEYS_MAX + 1))).toThrow(
      'The maximum number of configuration keys is 4096',
    );
    const full = Array.from({ length: CONFIG_BYTES_MAX / CONFIG_VALUE_BYTES_MAX }, (_, index) => [
      `user.${index}`,
      value,
    ]);
    expect(() => check(Object.fromEntries(full))).toThrow('The maximum config size is 8388608 bytes');
  });

  it('throws only coded errors, for any input', () => {
    const keys = fc.oneof(
      fc.string(),
      fc.constantFrom(...CONFIG_KEYS.map(({ key }) => key.replace('*', 'x'))),
    );
    const anything = fc.oneof(
      fc.anything(),
      fc.dictionary(keys, fc.oneof(fc.anything(), fc.string({ unit: anyCharacter }))),
    );
    fc.assert(
      fc.property(anything, fc.constantFrom('instance', 'profile'), (config, owner) => {
        try {
          check(config, owner);
        } catch (error) {
          expect(error).toBeInstanceOf(CodedError);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('accepts a config if and only if it accepts each entry', () => {
    const config = fc.dictionary(
      fc.constantFrom('user.a', 'foo', 'limits.cpu', 'security.nesting'),
      fc.constantFrom('1', 'x'),
    );
    fc.assert(
      fc.property(config, (some) => {
        const isFine = Object.entries(some).every(([key, value]) => isConfigEntry(key, value));
        if (isFine) check(some);
        else expect(() => check(some)).toThrow(CodedError);
      }),
    );
  });
});

describe('the table of keys', () => {
  it('finds every row by a key that matches it', () => {
    for (const row of CONFIG_KEYS) expect(findConfigKey(row.key.replace('*', 'x'))?.row).toBe(row);
  });

  it('has no key twice', () => {
    expect(new Set(CONFIG_KEYS.map(({ key }) => key)).size).toBe(CONFIG_KEYS.length);
  });
});

describe('withoutEmpty', () => {
  it('drops only keys with an empty value', () => {
    expect({ ...withoutEmpty({ 'user.a': '', 'user.b': ' ', 'user.c': '0' }) }).toEqual({
      'user.b': ' ',
      'user.c': '0',
    });
  });
});
