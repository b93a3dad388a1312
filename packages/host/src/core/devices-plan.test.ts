import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planDevices } from './devices-plan.ts';
import type { Devices } from './entities.ts';
import { copyOf } from './records.ts';

const nic = { type: 'nic', nictype: 'p2p' };

describe('planDevices', () => {
  it('removes, then updates, then adds, each by name', () => {
    const before = { z: { type: 'disk' }, a: { type: 'disk' }, n: nic };
    const after = { n: { ...nic, 'limits.ingress': '1Mbit' }, y: { type: 'disk' }, b: { type: 'disk' } };
    const steps = planDevices(before, after).map(({ action, name }) => `${action} ${name}`);
    expect(steps).toEqual(['removed a', 'removed z', 'updated n', 'added b', 'added y']);
  });

  it.each(['limits.ingress', 'limits.egress', 'limits.max'])(
    'updates a nic live when only %s changes',
    (option) => {
      const device = { ...nic, [option]: '1Mbit' };
      expect(planDevices({ n: nic }, { n: device })).toEqual([
        { action: 'updated', name: 'n', device, previous: nic },
      ]);
      expect(planDevices({ n: device }, { n: nic })).toMatchObject([
        { action: 'updated', device: nic, previous: device },
      ]);
    },
  );

  it('updates the root disk live when only its size changes', () => {
    const root = { type: 'disk', path: '/', pool: 'default' };
    const sized = { ...root, size: '1GiB' };
    expect(planDevices({ root }, { root: sized })).toEqual([
      { action: 'updated', name: 'root', device: sized, previous: root },
    ]);
    const other = planDevices({ root }, { root: { ...sized, 'user.a': 'b' } });
    expect(other.map(({ action }) => action)).toEqual(['removed', 'added']);
  });

  it.each([{ hwaddr: '00:16:3e:00:00:01' }, { 'user.a': 'b' }, { 'limits.max': '1Mbit', mtu: '1400' }])(
    'removes and adds a nic for %o',
    (change) => {
      const after = { n: { ...nic, ...change } };
      expect(planDevices({ n: nic }, after)).toEqual([
        { action: 'removed', name: 'n', device: nic },
        { action: 'added', name: 'n', device: after.n },
      ]);
    },
  );

  it('does nothing for the same options in another order', () => {
    expect(planDevices({ n: { a: '1', b: '2' } }, { n: { b: '2', a: '1' } })).toEqual([]);
  });

  it('adds a device named like a property that every object has', () => {
    expect(planDevices({}, { constructor: nic } as unknown as Devices)).toMatchObject([{ action: 'added' }]);
  });

  const options = fc.dictionary(fc.constantFrom('limits.max', 'mtu', 'toString'), fc.constantFrom('1', '2'));
  const device = fc
    .tuple(fc.constantFrom('nic', 'disk', 'none'), options)
    .map(([type, rest]): Record<string, string> => ({ ...rest, type }));
  const devices = fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor'), device);

  it('gives steps that lead from one set of devices to the other', () => {
    fc.assert(
      fc.property(devices, devices, (before, after) => {
        const now = copyOf(before);
        for (const step of planDevices(before, after)) {
          if (step.action === 'removed') delete now[step.name];
          else now[step.name] = step.device;
        }
        expect(now).toEqual(copyOf(after));
      }),
    );
  });

  it('gives no steps for equal devices', () => {
    fc.assert(
      fc.property(devices, (same) => {
        expect(planDevices(same, copyOf(same))).toEqual([]);
      }),
    );
  });
});
