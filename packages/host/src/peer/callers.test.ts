import { beforeEach, expect, it } from 'vitest';
import { Callers } from './callers.ts';
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

it('answers at once while nothing is being started', () => {
  expect(callers.identify(1)).toBe(INSIDE.caller);
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
