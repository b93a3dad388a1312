import { describe, expect, it } from 'vitest';
import type { Devices } from './entities.ts';
import { takenHwaddr } from './hwaddr-conflicts.ts';

const ADDRESS = '00:16:3e:11:22:3a';
const bridged = (hwaddr: string, parent = 'br0') => ({ type: 'nic', nictype: 'bridged', parent, hwaddr });
const instance = (devices: Devices, config = {}) => ({ devices, config });
const mine = instance({ a: bridged(ADDRESS) });

describe('takenHwaddr', () => {
  it('finds the address at another nic of the same bridge, in small and capital letters', () => {
    const two = instance({ a: bridged(ADDRESS), b: bridged(ADDRESS.toUpperCase()) });
    expect(takenHwaddr('a', two, [])).toBe(ADDRESS);
    expect(takenHwaddr('b', two, [])).toBe(ADDRESS);
    expect(takenHwaddr('a', mine, [instance({}), instance({ x: bridged(ADDRESS) })])).toBe(ADDRESS);
  });

  it('finds an address that the daemon has given to a nic', () => {
    const other = instance({ x: bridged('') }, { 'volatile.x.hwaddr': ADDRESS });
    expect(takenHwaddr('a', mine, [other])).toBe(ADDRESS);
  });

  it('finds nothing at other bridges, at nics without one, at other devices and without an address', () => {
    const others = [
      instance({ x: bridged(ADDRESS, 'br1') }),
      instance({ x: { type: 'nic', nictype: 'p2p', hwaddr: ADDRESS } }),
      instance({ x: { type: 'none' } }, { 'volatile.x.hwaddr': ADDRESS }),
      instance({ x: bridged('00:16:3e:11:22:3b') }),
    ];
    expect(takenHwaddr('a', mine, others)).toBeUndefined();
    expect(takenHwaddr('a', instance({ a: bridged('') }), [instance({ x: bridged('') })])).toBeUndefined();
    expect(
      takenHwaddr('a', instance({ a: { type: 'nic', nictype: 'p2p', hwaddr: ADDRESS } }), [mine]),
    ).toBeUndefined();
  });
});
