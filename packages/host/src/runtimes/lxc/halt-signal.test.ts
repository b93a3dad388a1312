import { expect, it } from 'vitest';
import { namedHaltSignal } from './halt-signal.ts';

it.each([
  [undefined, null],
  ['lxc.environment = A=lxc.signal.halt=SIGTERM', null],
  ['# lxc.signal.halt = SIGTERM', null],
  ['lxc.signal.halt=SIGTERM', 15],
  ['lxc.signal.halt = term', 15],
  ['lxc.signal.halt = 28', 28],
  ['lxc.signal.halt = SIGRTMIN+3', 37],
  ['lxc.signal.halt = SIGRTMAX-1', 63],
  ['lxc.signal.halt = SIGTERM\nlxc.log.level = INFO\nlxc.signal.halt = SIGINT', 2],
  ['lxc.signal.halt = SIGNOTHING', null],
  ['lxc.signal.halt = 1000', null],
])('the signal for a shutdown in %j is %s', (lines, signal) => {
  expect(namedHaltSignal(lines)).toBe(signal);
});
