import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { limitLines, weightLines } from './resource-limits.ts';

const LIMITS = { 'limits.memory': '64MiB', 'limits.processes': '20', 'limits.cpu': '1' };

/** Files of /sys/fs/cgroup as they are on hosts of three kinds. */
const TREES = {
  unified: { 'cgroup.controllers': 'cpuset cpu io memory hugetlb pids rdma misc\n' },
  old: { 'memory/tasks': '', 'pids/tasks': '', 'cpuset/tasks': '', 'cpu,cpuacct/tasks': '' },
  hybrid: { 'memory/tasks': '', 'cpuset/tasks': '', 'unified/cgroup.controllers': 'pids hugetlb\n' },
  none: { 'systemd/tasks': '' },
};

let root = '';
afterEach(() => rmSync(root, { recursive: true }));

function lines(tree: Readonly<Record<string, string>>): Promise<string[]> {
  make(tree);
  return limitLines({ id: 0, config: LIMITS }, root);
}

function make(tree: Readonly<Record<string, string>>): void {
  root = mkdtempSync(join(tmpdir(), 'porthole-cgroups-'));
  for (const [path, text] of Object.entries(tree)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

it('uses the unified hierarchy where it has the controllers', async () => {
  expect(await lines(TREES.unified)).toEqual([
    'lxc.cgroup2.cpuset.cpus = 0',
    'lxc.cgroup2.pids.max = 20',
    'lxc.cgroup2.memory.max = 67108864',
  ]);
});

it('uses the old hierarchies where they have the controllers', async () => {
  expect(await lines(TREES.old)).toEqual([
    'lxc.cgroup.cpuset.cpus = 0',
    'lxc.cgroup.pids.max = 20',
    'lxc.cgroup.memory.limit_in_bytes = 67108864',
  ]);
});

it('takes each controller of a hybrid host from where it is', async () => {
  expect(await lines(TREES.hybrid)).toEqual([
    'lxc.cgroup.cpuset.cpus = 0',
    'lxc.cgroup2.pids.max = 20',
    'lxc.cgroup.memory.limit_in_bytes = 67108864',
  ]);
});

it('refuses a limit where there is no cgroup for it', async () => {
  await expect(lines(TREES.none)).rejects.toThrow(
    'Failed to apply limits.cpu: this host has no cgroups for cpuset',
  );
});

const PASSED = { ...TREES.unified, 'cgroup.subtree_control': 'cpu memory pids\n' };

it.each([
  ['of version 1', { 'cpu/tasks': '' }, 10, ['lxc.cgroup.cpu.shares = 102']],
  ['of version 1', { 'cpu/tasks': '' }, 1, ['lxc.cgroup.cpu.shares = 10']],
  ['of version 2', PASSED, 10, ['lxc.cgroup2.cpu.weight = 10']],
  ['of version 2 that are not passed on', TREES.unified, 10, []],
  ['without the controller', TREES.none, 10, []],
  ['of version 1', { 'cpu/tasks': '' }, 100, []],
  ['of version 2', PASSED, 100, []],
])('gives a container in cgroups %s %o a weight of %i percent: %j', (_, tree, percent, expected) => {
  make(tree);
  expect(weightLines(percent, root)).toEqual(expected);
});
