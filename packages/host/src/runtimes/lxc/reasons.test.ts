import { constants } from 'node:os';
import { expect, it } from 'vitest';
import { limitReason, mountReason, nicReason, startReason } from './reasons.ts';

const { EINVAL, ENOENT, ENOTDIR, EPERM } = constants.errno;

it.each([
  [
    { call: 'move_mount', errno: EINVAL, target: '/etc/passwd', kinds: 'folder-on-file' },
    'The source is a folder, but "/etc/passwd" in the instance is not (move_mount: EINVAL)',
  ],
  [
    { call: 'move_mount', errno: EINVAL, target: '/etc', kinds: 'file-on-folder' },
    'The source is not a folder, but "/etc" in the instance is one (move_mount: EINVAL)',
  ],
  [
    { call: 'move_mount', errno: ENOENT, target: '/proc/x' },
    '"/proc/x" does not exist in the instance and cannot be made there (move_mount: ENOENT)',
  ],
  [
    { call: 'lstat', errno: ENOTDIR, target: '/etc/passwd/x' },
    '"/etc/passwd/x" cannot be in the instance: a part of that path is not a folder there (lstat: ENOTDIR)',
  ],
  [{ call: 'move_mount', errno: EPERM, target: '/x' }, 'move_mount: EPERM'],
  [{ call: 'open_tree', errno: ENOENT }, 'open_tree: ENOENT'],
] as const)('a mount that failed with %j is told as: %s', (failure, text) => {
  expect(mountReason(failure)).toBe(text);
});

it.each([
  [
    'Not a directory - Failed to mount "/s/instances/3/mounts/a%2Fb" onto "/usr/lib/lxc/rootfs/etc/passwd"',
    'Failed to start device "a/b": of the source and "/etc/passwd" in the instance, one is a folder and the other is not (Not a directory)',
  ],
  [
    'Not a directory - Failed to mount "/s/instances/3/mounts/a" on "/usr/lib/lxc/rootfs/etc/passwd"',
    'Failed to start device "a": of the source and "/etc/passwd" in the instance, one is a folder and the other is not (Not a directory)',
  ],
  [
    'Not a directory - Failed to mount "/mine/mounts/50%" on "/usr/lib/lxc/rootfs/etc/passwd"',
    'Failed to start device "50%": of the source and "/etc/passwd" in the instance, one is a folder and the other is not (Not a directory)',
  ],
  [
    'File exists - Failed to rename network device "vethPIeHqN" to "lo"',
    'The instance has more than one interface with the name "lo" (File exists)',
  ],
  [
    'No such file or directory - Failed to exec "/sbin/init"',
    'No such file or directory - Failed to exec "/sbin/init"',
  ],
])('%s in the log of LXC is told as: %s', (line, text) => {
  expect(startReason(line)).toBe(text);
});

it.each([
  [
    'limits.memory',
    'tee: exit code 1: tee: /sys/fs/cgroup/x: Device or resource busy',
    'the instance uses more memory than that (Device or resource busy)',
  ],
  [
    'limits.cpu',
    'tee: x: Numerical result out of range',
    'the host does not have these processors (Numerical result out of range)',
  ],
  ['limits.processes', 'tee: x: Device or resource busy', 'Device or resource busy'],
] as const)('%s: %s is told as: %s', (key, failure, text) => {
  expect(limitReason(key, failure)).toBe(text);
});

it.each([
  ['ip: exit code 2: RTNETLINK answers: File exists', 'What (File exists)'],
  [
    'tc: exit code 2: Error: TC classifier not found.; We have an error talking to the kernel',
    'What (TC classifier not found)',
  ],
  [
    'tc: exit code 1: tbf: the "rate" parameter is mandatory.; Usage: ... tbf',
    'What (tbf: the "rate" parameter is mandatory)',
  ],
  ['ip: no such program', 'What (ip: no such program)'],
])('%s is told as: %s', (failure, text) => {
  expect(nicReason('What', failure)).toBe(text);
});
