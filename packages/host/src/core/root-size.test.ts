import { describe, expect, it } from 'vitest';
import { checkDevices } from './devices.ts';
import type { Devices } from './entities.ts';
import { grownSize, refuseLateSize, rootSizeOf } from './root-size.ts';

const root = (size?: string): Devices => ({
  root: { type: 'disk', path: '/', pool: 'default', ...(size === undefined ? {} : { size }) },
});

describe('The size of a root disk', () => {
  it.each([
    ['500MiB', 524_288_000],
    ['10GB', 9_999_998_976],
    ['16777217', 16_777_216],
    [undefined, null],
  ])('%s is %s bytes in whole blocks', (size, bytes) => {
    expect(rootSizeOf(checkDevices(root(size)))).toBe(bytes);
  });

  it('counts as unset if it is empty', () => {
    expect(checkDevices(root(''))).toEqual(root());
  });

  it.each([
    ['15MiB', 'at least 16MiB'],
    ['0', 'at least 16MiB'],
    ['9TiB', 'at most 8TiB'],
    ['10%', 'Invalid size "10%"'],
    ['-1', 'Invalid size "-1"'],
    ['1.5GiB', 'Invalid size "1.5GiB"'],
  ])('is not %s', (size, why) => {
    expect(() => checkDevices(root(size))).toThrow(why);
  });

  it('is nothing for other disks', () => {
    const data = { data: { type: 'disk', path: '/data', source: '/srv', size: '1GiB' } };
    expect(() => checkDevices(data)).toThrow('Device option "size" is not supported by Porthole');
  });

  it.each([
    [undefined, '1GiB', 'get its first limit'],
    ['1GiB', undefined, 'lose its limit'],
    ['1GiB', '512MiB', 'shrink from 1GiB to 512MiB'],
  ])('cannot change from %s to %s while the instance runs', (before, after, what) => {
    expect(() => refuseLateSize(root(before), root(after))).toThrow(
      `The root disk cannot ${what} while the instance runs: stop it first`,
    );
    expect(grownSize(root(before), root(after))).toBeNull();
  });

  it('can grow while the instance runs, and can be written in another way', () => {
    expect(() => refuseLateSize(root('1GiB'), root('2GiB'))).not.toThrow();
    expect(grownSize(root('1GiB'), root('2GiB'))).toEqual({ from: 2 ** 30, to: 2 ** 31 });
    expect(() => refuseLateSize(root('1GiB'), root('1024MiB'))).not.toThrow();
    expect(grownSize(root('1GiB'), root('1024MiB'))).toBeNull();
  });
});
