import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { silentLog } from '../../base/log.ts';
import type { FoundRun } from '../contract/runtime.ts';
import { instancePaths } from './paths.ts';
import { LxcWeights } from './weights.ts';

let root: string;
let weights: LxcWeights;
let run: FoundRun;

beforeEach(() => {
  root = mkdtempSync('/var/tmp/porthole-test-weights-');
  writeFileSync(join(root, 'cpu.shares'), '1024');
  writeFileSync(join(root, 'cpu.idle'), '0');
  weights = new LxcWeights(silentLog, () => [root]);
  run = { instanceId: 1, init: { pid: 1, isAlive: () => true, signal() {}, duplicate: () => -1 } };
  weights.hold(1, run.init, { ...instancePaths(root, 1), lowered: join(root, 'lowered') });
});
afterEach(() => rmSync(root, { recursive: true }));

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
