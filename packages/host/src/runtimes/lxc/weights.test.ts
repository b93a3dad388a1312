import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLog } from '../../base/log.ts';
import type { FoundRun } from '../contract/runtime.ts';
import { instancePaths } from './paths.ts';
import { LxcWeights } from './weights.ts';

/** A run of instance 1 with a cgroup of its own. */
class TestRun implements FoundRun {
  readonly instanceId = 1;
  readonly folder: string;
  isOver: () => boolean = () => false;
  readonly init: FoundRun['init'];

  /** @param name of its cgroup */
  constructor(pid: number, name = 'lxc.payload.1') {
    this.folder = join(root, name);
    this.init = { pid, isAlive: () => !this.isOver(), signal() {}, duplicate: () => -1 };
    mkdirSync(this.folder);
    writeFileSync(join(this.folder, 'cpu.shares'), '1024');
    runs.set(pid, this);
  }

  get shares(): number {
    return Number(readFileSync(join(this.folder, 'cpu.shares'), 'utf8'));
  }
}

let root: string;
let runs: Map<number, TestRun>;
let run: TestRun;
let weights: LxcWeights;

beforeEach(() => {
  root = mkdtempSync('/var/tmp/porthole-test-weights-');
  runs = new Map();
  run = new TestRun(1);
  weights = daemon();
  hold(weights, run);
});
afterEach(() => rmSync(root, { recursive: true }));

/** Cgroups have their numbers in this list. */
const FOLDERS = ['', '/a', '/a/b', '-1', '2', '/../lxc.payload.2', '/../other'];

/** A daemon that knows no run yet. */
function daemon(): LxcWeights {
  const foldersOf = (pid: number) => [runs.get(pid)?.folder ?? ''];
  return new LxcWeights(silentLog, foldersOf, (cgroup) => {
    const end = FOLDERS[Number(cgroup)];
    return end === undefined ? null : join(root, `lxc.payload.1${end}`);
  });
}

const hold = (by: LxcWeights, { init }: TestRun) =>
  by.hold(1, init, { ...instancePaths(root, 1), lowered: join(root, 'lowered') });
const isNoted = () => existsSync(join(root, 'lowered'));

describe('the run of a cgroup', () => {
  const found = (by = weights) => FOLDERS.filter((_, cgroup) => by.find(BigInt(cgroup))?.init === run.init);

  it('is found by its own cgroup and those below it, and by no other', () => {
    expect(found()).toEqual(['', '/a', '/a/b']);
    expect(weights.find(99n)).toBe(null);
  });

  it('is not found by the cgroup of an instance of another daemon that has the same id', () => {
    const own = new TestRun(2, 'lxc.payload.1-1');
    const other = daemon();
    hold(other, own);
    expect(other.find(0n)).toBe(null);
    expect(other.find(BigInt(FOLDERS.indexOf('-1')))?.init).toBe(own.init);
  });

  it('is not found when it has ended, nor by its cgroup when the next run has another one', () => {
    run.isOver = () => true;
    expect(found()).toEqual([]);
    hold(weights, new TestRun(2, 'lxc.payload.1-1'));
    expect(weights.find(0n)).toBe(null);
  });

  it('is not found when the instance is forgotten', () => {
    weights.forget(1);
    expect(found()).toEqual([]);
  });
});

describe('the weight of a run', () => {
  it('is low until it is raised', async () => {
    expect(await weights.lower(run, 5)).toBe(true);
    expect([run.shares, isNoted(), weights.live(run.init)]).toEqual([51, true, { loweredWeight: 5 }]);
    await weights.raise(run);
    expect([run.shares, isNoted(), weights.live(run.init)]).toEqual([1024, false, {}]);
  });

  it('stays if the run has ended, or is not known', async () => {
    const unknown = new TestRun(2, 'lxc.payload.2');
    run.isOver = () => true;
    expect([await weights.lower(run, 5), await weights.lower(unknown, 5)]).toEqual([false, false]);
    expect([run.shares, unknown.shares, isNoted()]).toEqual([1024, 1024, false]);
  });

  it('leaves no note for the next run if the run ends while it is lowered', async () => {
    run.isOver = isNoted;
    expect(await weights.lower(run, 5)).toBe(false);
    expect([isNoted(), weights.live(run.init)]).toEqual([false, {}]);
  });

  it('of the next run is its own, and the note of the last one goes', async () => {
    await weights.lower(run, 5);
    run.isOver = () => true;
    await weights.raise(run);
    expect(isNoted()).toBe(true);
    const next = new TestRun(2, 'lxc.payload.1-1');
    hold(weights, next);
    await vi.waitUntil(() => !isNoted());
    expect([next.shares, run.shares]).toEqual([1024, 51]);
    expect(await weights.lower(next, 5)).toBe(true);
    expect([next.shares, weights.live(next.init)]).toEqual([51, { loweredWeight: 5 }]);
  });

  it('is given back by the next daemon if this one has died', async () => {
    await weights.lower(run, 5);
    hold(daemon(), run);
    await vi.waitUntil(() => !isNoted());
    expect(run.shares).toBe(1024);
  });

  it('is lowered after that if it storms again meanwhile', async () => {
    await weights.lower(run, 5);
    const next = daemon();
    hold(next, run);
    expect(await next.lower(run, 5)).toBe(true);
    expect([run.shares, isNoted()]).toEqual([51, true]);
    await next.raise(run);
    expect([run.shares, isNoted()]).toEqual([1024, false]);
  });
});

describe('a run that is killed', () => {
  it('has its own weight again, so that its processes can end', async () => {
    expect(await weights.lower(run, 5)).toBe(true);
    expect([run.shares, weights.live(run.init)]).toEqual([51, { loweredWeight: 5 }]);
    weights.letEnd(run.init);
    await vi.waitUntil(() => run.shares === 1024);
    expect(weights.live(run.init)).toEqual({});
  });

  it('keeps its weight, also if it was just about to be lowered', async () => {
    const lowering = weights.lower(run, 5);
    weights.letEnd(run.init);
    expect(await lowering).toBe(false);
    expect(run.shares).toBe(1024);
    expect(await weights.lower(run, 5)).toBe(false);
    expect(run.shares).toBe(1024);
  });
});
