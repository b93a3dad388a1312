import { expect, it } from 'vitest';
import { ticksOf } from './leader.ts';
import { machineIn } from './machined.ts';

/** As busctl of systemd 252 prints a machine. */
const PROPERTIES = {
  Name: { type: 's', data: 'web' },
  TimestampMonotonic: { type: 't', data: 83338752527 },
  Service: { type: 's', data: 'systemd-nspawn' },
  Leader: { type: 'u', data: 115 },
  Class: { type: 's', data: 'container' },
};
const printed = (changed: object = {}) =>
  `${JSON.stringify({ type: 'a{sv}', data: [{ ...PROPERTIES, ...changed }] })}\n`;

it('reads the first process and the time of registration of a machine', () => {
  expect(machineIn(printed())).toEqual({ leader: 115, registeredUs: 83338752527n, isOfNspawn: true });
});

it.each([
  ['a virtual machine', { Class: { type: 's', data: 'vm' } }],
  ['a container of another program', { Service: { type: 's', data: 'libvirt-lxc' } }],
])('%s is not a machine of systemd-nspawn', (_what, changed) => {
  expect(machineIn(printed(changed))?.isOfNspawn).toBe(false);
});

it.each([
  '',
  'null',
  '{"data":[]}',
  '{"data":[null]}',
  '[1]',
  printed({ Leader: { type: 'u', data: '7' } }),
  printed({ TimestampMonotonic: {} }),
])('there is no machine in %j', (text) => {
  expect(machineIn(text)).toBeNull();
});

it('the time since the boot includes the time for which the host was suspended', () => {
  expect(ticksOf(5_000_000n, '100.00 1.00\n', 100_000_000_000n)).toBe(502n);
  expect(ticksOf(5_000_000n, '160.00 1.00\n', 100_000_000_000n)).toBe(6502n);
});
