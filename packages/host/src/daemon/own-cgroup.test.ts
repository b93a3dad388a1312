import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test as it } from 'vitest';
import { apart } from '../process/apart.ts';
import { enterOwnCgroup } from './own-cgroup.ts';

const PID = 77;
/** /proc/PID/cgroup of a shell's program. */
const SHELL = '4:memory:/\n1:name=systemd:/user.slice/session-1.scope\n0::/user.slice/session-1.scope\n';
const UNIT = SHELL.replaceAll('/user.slice/session-1.scope', '/system.slice/portholed.service');

let root: string;
beforeEach(() => {
  root = mkdtempSync('/var/tmp/porthole-own-cgroup-');
});
afterEach(() => rmSync(root, { recursive: true }));

function make(tree: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(tree)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

const OLD = { 'cpu/tasks': '', 'cpu/cgroup.procs': '' };
const UNIFIED = { 'cgroup.controllers': 'cpu io\n', 'cgroup.subtree_control': 'cpu\n', 'cgroup.procs': '' };

const enter = (percent: number, memberships = SHELL) =>
  enterOwnCgroup(percent, { pid: PID, root, memberships });
const own = (path: string) => readFileSync(join(root, path), 'utf8');

it.each([
  ['1', OLD, 'cpu/portholed.77', 'cpu.shares', '10240', 'cpu/cgroup.procs'],
  ['2', UNIFIED, 'portholed.77', 'cpu.weight', '1000', 'cgroup.procs'],
])(
  'enters a cgroup of version %s with the weight, and keeps programs apart until it leaves',
  async (...row) => {
    const [, tree, folder, file, weight, procs] = row;
    make(tree);
    const leave = await enter(1000);
    expect([own(`${folder}/${file}`), own(`${folder}/cgroup.procs`)]).toEqual([weight, '77']);
    expect(apart(['true', 'x'])).toContain(join(root, procs));
    await leave();
    expect(own(procs)).toBe('77');
    expect(apart(['true', 'x'])).toEqual(['true', 'x']);
  },
);

it.each([
  ['with the usual weight', OLD, 100, SHELL],
  ['in a unit of systemd', OLD, 1000, UNIT],
  ['without the controller', {}, 1000, SHELL],
  ['if the controller is not passed on', { ...UNIFIED, 'cgroup.subtree_control': 'io\n' }, 1000, SHELL],
])('makes no cgroup %s', async (_, tree, percent, memberships) => {
  make(tree);
  const before = readdirSync(root, { recursive: true });
  const leave = await enter(percent, memberships);
  await leave();
  expect(readdirSync(root, { recursive: true })).toEqual(before);
  expect(apart(['true'])).toEqual(['true']);
});

// The kernel gives no process such a pid.
it('removes those that ended daemons have left, but none with a process or of a daemon that starts', async () => {
  make({ ...OLD, 'cpu/portholed.5000009/cgroup.procs': '9', 'cpu/lxc.payload.1/x': '' });
  mkdirSync(join(root, 'cpu/portholed.5000008'));
  mkdirSync(join(root, `cpu/portholed.${process.pid}`));
  await enter(100);
  expect(readdirSync(join(root, 'cpu')).toSorted()).toEqual([
    'cgroup.procs',
    'lxc.payload.1',
    'portholed.5000009',
    `portholed.${process.pid}`,
    'tasks',
  ]);
});

it('goes on without a cgroup if the host refuses one', async () => {
  make({ 'cpu/tasks': '', 'cpu/portholed.77': '' });
  const leave = await enter(1000);
  expect(apart(['true'])).toEqual(['true']);
  await leave();
});
