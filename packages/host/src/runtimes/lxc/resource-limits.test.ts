import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { limitLines } from './resource-limits.ts';

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

function lines(tree: Readonly<Record<string, string>>): string[] {
  root = mkdtempSync(join(tmpdir(), 'porthole-cgroups-'));
  for (const [path, text] of Object.entries(tree)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return limitLines({ id: 0, config: LIMITS }, root);
}

it('uses the unified hierarchy where it has the controllers', () => {
  expect(lines(TREES.unified)).toEqual([
    'lxc.cgroup2.cpuset.cpus = 0',
    'lxc.cgroup2.pids.max = 20',
    'lxc.cgroup2.memory.max = 67108864',
  ]);
});

it('uses the old hierarchies where they have the controllers', () => {
  expect(lines(TREES.old)).toEqual([
    'lxc.cgroup.cpuset.cpus = 0',
    'lxc.cgroup.pids.max = 20',
    'lxc.cgroup.memory.limit_in_bytes = 67108864',
  ]);
});

it('takes each controller of a hybrid host from where it is', () => {
  expect(lines(TREES.hybrid)).toEqual([
    'lxc.cgroup.cpuset.cpus = 0',
    'lxc.cgroup2.pids.max = 20',
    'lxc.cgroup.memory.limit_in_bytes = 67108864',
  ]);
});

it('refuses a limit where there is no cgroup for it', () => {
  expect(() => lines(TREES.none)).toThrow('Failed to apply limits.cpu: this host has no cgroups for cpuset');
});
