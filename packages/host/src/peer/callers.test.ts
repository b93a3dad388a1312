import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Callers } from './callers.ts';
import { PATIENCE_MS } from './held-callers.ts';
import type { Identified } from './identify.ts';

const STRANGER: Identified = { caller: { kind: 'no-instance', uid: 0 }, outermost: null };
const INSIDE: Identified = { caller: { kind: 'no-instance', uid: 1000 }, outermost: 'ns' };
const KNOWN: Identified = { caller: { kind: 'instance', instanceId: 7, runNumber: 1 }, outermost: null };

let found: Identified;
let callers: Callers;

beforeEach(() => {
  found = INSIDE;
  callers = new Callers(() => found);
});

afterEach(() => vi.useRealTimers());

it('answers at once while nothing is being started', () => {
  expect(callers.identify(1)).toBe(INSIDE.caller);
});

it('makes a caller wait a moment where another program starts instances, and once only', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  callers.patient(true);
  const [early, late] = [callers.identify(1), callers.identify(2)];
  expect(early).toBeInstanceOf(Promise);
  found = KNOWN;
  callers.began('ns');
  expect([await early, await late]).toEqual([KNOWN.caller, KNOWN.caller]);
  found = INSIDE;
  const waits = callers.identify(1);
  await vi.advanceTimersByTimeAsync(PATIENCE_MS);
  expect(await waits).toBe(INSIDE.caller);
  found = STRANGER;
  expect(callers.identify(1)).toBe(STRANGER.caller);
  expect(vi.getTimerCount()).toBe(0);
});

it('waits for a start that began meanwhile', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  callers.patient(true);
  const waits = callers.identify(1);
  callers.starting(true);
  await vi.advanceTimersByTimeAsync(PATIENCE_MS);
  found = KNOWN;
  callers.began('ns');
  expect(await waits).toBe(KNOWN.caller);
});

it('never makes a process of the host wait, nor one that is gone', () => {
  callers.starting(true);
  found = STRANGER;
  expect(callers.identify(1)).toBe(STRANGER.caller);
});

it('identifies a caller as soon as the run of its namespace has begun, while others are still being started', async () => {
  callers.starting(true);
  const waits = callers.identify(1);
  expect(waits).toBeInstanceOf(Promise);
  callers.began('another');
  found = KNOWN;
  callers.began('ns');
  expect(await waits).toBe(KNOWN.caller);
});

it('identifies the remaining callers as in no instance when the last start has ended', async () => {
  callers.starting(true);
  const waits = callers.identify(1);
  callers.starting(false);
  expect(await waits).toBe(INSIDE.caller);
});
