import { expect, test as it } from 'vitest';
import { isShown, parseMounts, placeOf, readMounts } from './mountinfo.ts';

const TEXT = `100 50 0:30 / / rw,relatime - overlay overlay rw,lowerdir=/l
101 100 0:31 / /dev rw,nosuid - tmpfs none rw
102 101 254:0 /var/lib/porthole/devlxd /dev/lxd ro,relatime - ext4 /dev/vda rw
103 100 0:44 / /data\\040one rw - fuse f rw
`;
const WINDOW = { device: '254:0', root: '/var/lib/porthole/devlxd', readonly: true };
const shown = (more = '', text = TEXT) => isShown(parseMounts(text + more), '/dev/lxd', WINDOW);

it('finds exactly the given mount, also with spaces in its path', () => {
  expect(shown()).toBe(true);
  expect(isShown(parseMounts(TEXT), '/dev/lxd', { ...WINDOW, readonly: false })).toBe(false);
  expect(isShown(parseMounts(TEXT), '/dev/lxd', { ...WINDOW, root: '/else' })).toBe(false);
  expect(isShown(parseMounts(TEXT), '/dev', WINDOW)).toBe(false);
  const data = { device: '0:44', root: '/', readonly: false };
  expect(isShown(parseMounts(TEXT), '/data one/', data)).toBe(true);
});

it.each([
  ['on the same place', '104 102 0:50 / /dev/lxd rw - tmpfs none rw\n'],
  ['on the way to it', '104 101 0:50 / /dev rw - overlay none rw\n'],
  ['on the root', '104 100 0:50 / / rw - tmpfs none rw\n'],
])('does not count a mount as shown when there is another %s', (_, more) => {
  expect(shown(more)).toBe(false);
});

it('does not count a mount as shown when another was mounted on the way to it later', () => {
  const covered = TEXT.replace('102 101', '102 100').replace('101 100', '105 100');
  expect(shown('', covered)).toBe(false);
});

it('tells which file or folder a path of the host leads to', () => {
  const mounts = parseMounts('1 0 254:0 / / rw - ext4 a rw\n2 1 0:9 /sub /mnt/x rw - btrfs b rw\n');
  expect(placeOf(mounts, '/')).toEqual({ device: '254:0', root: '/' });
  expect(placeOf(mounts, '/mnt//y/../z')).toEqual({ device: '254:0', root: '/mnt/z' });
  expect(placeOf(mounts, '/mnt/x')).toEqual({ device: '0:9', root: '/sub' });
  expect(placeOf(mounts, '/mnt/x/f')).toEqual({ device: '0:9', root: '/sub/f' });
  expect(placeOf(mounts, '/mnt/xy')).toEqual({ device: '254:0', root: '/mnt/xy' });
});

it('reads the mounts that this process sees, and none of a process that is gone', async () => {
  const mounts = (await readMounts('self')) ?? [];
  expect(mounts.filter(({ point }) => point === '/')).toHaveLength(1);
  expect(await readMounts(4_194_303)).toBe(null);
});
