import { constants } from 'node:os';

/** The first and the last real-time signal of glibc, signal(7). */
const SIGRTMIN = 34;
const SIGRTMAX = 64;

/**
 * The number of the signal that `lxc.signal.halt` names in lines of `raw.lxc`; null if none does. As in LXC, the last
 * line counts, and the value is a number or a name such as `SIGTERM`, `TERM` or `SIGRTMIN+3`.
 */
export function namedHaltSignal(rawLxc: string | undefined): number | null {
  const lines = [...(rawLxc ?? '').matchAll(/^[ \t]*lxc\.signal\.halt[ \t]*=[ \t]*(\S+)[ \t]*$/gm)];
  const value = lines.at(-1)?.[1];
  return value === undefined ? null : signalNumber(value);
}

function signalNumber(value: string): number | null {
  if (/^\d+$/.test(value)) return within(Number(value));
  const name = value.toUpperCase().replace(/^SIG/, '');
  const [, base, offset = '0'] = /^(RTMIN|RTMAX)(?:[+-](\d+))?$/.exec(name) ?? [];
  if (base === 'RTMIN') return within(SIGRTMIN + Number(offset));
  if (base === 'RTMAX') return within(SIGRTMAX - Number(offset));
  const signals: Readonly<Record<string, number | undefined>> = constants.signals;
  return signals[`SIG${name}`] ?? null;
}

function within(number: number): number | null {
  return number > 0 && number <= SIGRTMAX ? number : null;
}
