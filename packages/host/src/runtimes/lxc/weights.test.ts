import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { silentLog } from '../../base/log.ts';
import type { FoundRun } from '../contract/runtime.ts';
import { instancePaths } from './paths.ts';
import { LxcWeights } from './weights.ts';

let root: string;
let weights: LxcWeights;
let run: FoundRun;

/** A daemon that knows the run. */
function daemon(): LxcWeights {
  const next = new LxcWeights(silentLog, () => [root]);
  next.hold(1, run.init, { ...instancePaths(root, 1), lowered: join(root, 'lowered') });
  return next;
}

beforeEach(() => {
  root = mkdtempSync('/var/tmp/porthole-test-weights-');
  writeFileSync(join(root, 'cpu.shares'), '1024');
  writeFileSync(join(root, 'cpu.idle'), '0');
  run = { instanceId: 1, init: { pid: 1, isAlive: () => true, signal() {}, duplicate: () => -1 } };
  weights = daemon();
});
afterEach(() => rmSync(root, { recursive: true }));

const sharesOf = () => Number(readFileSync(join(root, 'cpu.shares'), 'utf8'));
const isNoted = () => existsSync(join(root, 'lowered'));
const isIdle = () => readFileSync(join(root, 'cpu.idle'), 'utf8') === '1';

it('a run that is killed has its own weight again, so that its processes can end', async () => {
  expect(await weights.lower(run, 0)).toBe(true);
  expect([isIdle(), weights.live(run.init)]).toEqual([true, { loweredWeight: 0 }]);
  weights.letEnd(run.init);
  await vi.waitUntil(() => !isIdle());
  expect(weights.live(run.init)).toEqual({});
});

it('a run that is being killed keeps its weight, also if it was just about to be lowered', async () => {
  const lowering = weights.lower(run, 0);
  weights.letEnd(run.init);
  expect(await lowering).toBe(false);
  expect(isIdle()).toBe(false);
  expect(await weights.lower(run, 0)).toBe(false);
  expect(isIdle()).toBe(false);
});

it('a run that storms again while the next daemon gives it its weight back is lowered after that', async () => {
  await weights.lower(run, 5);
  const next = daemon();
  expect(await next.lower(run, 5)).toBe(true);
  expect([sharesOf(), isNoted()]).toEqual([51, true]);
  await next.raise(run);
  expect([sharesOf(), isNoted()]).toEqual([1024, false]);
});
