import { expect, test as it } from 'vitest';
import { checkRawLxc } from './raw-lxc.ts';

it.each([
  'lxc.cap.drop = sys_time',
  'lxc.cap.drop =',
  '  lxc.mount.auto=proc:rw sys:rw  ',
  'lxc.cgroup2.memory.high = 1G',
  'lxc.net.0.ipv4.address = 10.0.0.2/24',
  'lxc.hook.pre-start = /opt/hook',
  'lxc.environment = A="b c"',
  '# lxc.hook =',
  '',
  'lxc.init.cmd = /sbin/init\n\n\tlxc.signal.halt = SIGTERM',
])('accepts %j', (text) => {
  expect(() => checkRawLxc(text)).not.toThrow();
});

const OURS = ['lxc', 'lxc.hook', 'lxc.hook.post-stop', 'lxc.hook.version', 'lxc.hook.destroy', 'lxc.include'];
const MORE = [
  'lxc.rootfs',
  'lxc.rootfs.path',
  'lxc.rootfs.options',
  'lxc.rootfs.managed',
  'lxc.idmap',
  'lxc.uts.name',
];
const OTHERS = [
  'lxc.net',
  'lxc.net.0',
  'lxc.net.0.type',
  'lxc.cgroup',
  'lxc.cgroup2',
  'lxc.cgroup.dir',
  'lxc.mount',
];
const REST = [
  'lxc.log',
  'lxc.log.file',
  'lxc.prlimit',
  'lxc.sysctl',
  'lxc.proc',
  'lxc.namespace.keep',
  'lxc.ephemeral',
];
const ENDS = [
  'lxc.namespace.share.pid',
  'lxc.monitor.unshare',
  'lxc.signal.stop',
  'lxc.execute.cmd',
  'lxc.group',
];

it.each([...OURS, ...MORE, ...OTHERS, ...REST, ...ENDS])('refuses %s, with or without a value', (key) => {
  for (const line of [`${key} =`, `${key}=x`, ` ${key} = "x"`])
    expect(() => checkRawLxc(`\n${line}`)).toThrow(/through raw.lxc is not allowed|Invalid line/);
});

it.each(
  [
    ['lxc.mount.entry', 'lxc.mount.auto', 'lxc.environment', 'lxc.hook.pre-start', 'lxc.cgroup2.memory.max'],
    ['lxc.cgroup.devices.deny', 'lxc.cgroup2.devices.allow', 'lxc.net.0.ipv4.address', 'lxc.sysctl.net.x'],
  ].flat(),
)('refuses to clear %s', (key) => {
  for (const empty of ['', ' ', '""', "''", ' "" ', '\t', '" "'])
    expect(() => checkRawLxc(`${key} =${empty}`)).toThrow(`Clearing ${key} through raw.lxc is not allowed`);
});

it.each([
  'nonsense',
  'LXC.HOOK =',
  'lxc.hook',
  '= x',
  'lxc..cap.drop =',
  'lxc.cap.drop\r=',
  'lxc.cap.drop = a\rb',
])('refuses %j as a line', (text) => {
  expect(() => checkRawLxc(text)).toThrow(/^Invalid line in raw.lxc: line 1, /);
});

it('names the line in the error', () => {
  const text = `# mine\nlxc.cap.drop = x\n  lxc.hook = ${'x'.repeat(200)}`;
  expect(() => checkRawLxc(text)).toThrow(
    /^Setting lxc.hook through raw.lxc is not allowed: line 3, "lxc.hook = x+"$/,
  );
});
