import { afterAll, beforeAll, expect, test as it } from 'vitest';
import { run } from '../../src/process/run.ts';
import { LxcClient } from '../harness/lxc.ts';

/** Bridges of other tests may be there, too. */
const BRIDGE = `pt-l${process.pid}`;

let lxc: LxcClient;

beforeAll(async () => {
  lxc = await LxcClient.start();
  await ip('link', 'add', BRIDGE, 'type', 'bridge');
  await lxc.must('launch', 'busybox', 'c1');
});

afterAll(async () => {
  await lxc?.destroy();
  await run('ip', ['link', 'delete', BRIDGE]);
});

async function ip(...args: string[]): Promise<void> {
  const { ok, failure } = await run('ip', args);
  if (!ok) throw new Error(failure);
}

const csv = async (...args: string[]) => (await lxc.must(...args, '-f', 'csv')).trim().split('\n');

it('lists the bridges of the host as networks that it does not manage', async () => {
  expect(await csv('network', 'list')).toContain(`${BRIDGE},bridge,NO,,,,0,`);
  expect(await lxc.must('network', 'show', BRIDGE)).toContain('managed: false');
});

it('attaches instances and profiles to a bridge, and detaches them', async () => {
  await lxc.must('network', 'attach', BRIDGE, 'c1', 'lan', 'eth5');
  expect(await lxc.must('exec', 'c1', '--', 'cat', '/sys/class/net/eth5/type')).toBe('1\n');
  await lxc.must('profile', 'create', 'net');
  await lxc.must('network', 'attach-profile', BRIDGE, 'net', 'eth0');
  const network = await lxc.must('network', 'show', BRIDGE);
  expect(network).toContain('used_by:\n- /1.0/instances/c1\n- /1.0/profiles/net\n');
  await lxc.must('network', 'detach', BRIDGE, 'c1', 'lan');
  await lxc.must('network', 'detach-profile', BRIDGE, 'net');
  expect(await csv('network', 'list')).toContain(`${BRIDGE},bridge,NO,,,,0,`);
});

it('launches on a bridge and in the pool, without the hint about networks', async () => {
  const { ok, stdout, stderr } = await lxc.run('launch', 'busybox', 'c2', '-n', BRIDGE, '-s', 'default');
  expect([ok, stdout + stderr]).toEqual([true, expect.not.stringContaining('network')]);
  const devices = await lxc.must('config', 'device', 'show', 'c2');
  expect(devices).toContain(`nictype: bridged\n  parent: ${BRIDGE}`);
  expect(devices).toContain('path: /\n  pool: default');
});

it('shows the storage pool', async () => {
  const { stateDir } = lxc.daemon;
  expect(await csv('storage', 'list')).toEqual([`default,dir,${stateDir},,3,CREATED`]);
  expect((await lxc.must('storage', 'get', 'default', 'source')).trim()).toBe(stateDir);
  expect(await lxc.must('storage', 'show', 'default')).toContain('- /1.0/instances/c1\n');
});

it('shows the project, and switches to it', async () => {
  expect(await csv('project', 'list')).toEqual([
    expect.stringMatching(/^default \(current\),YES,YES,YES,YES,Default Porthole project,\d+$/),
  ]);
  expect(await lxc.must('project', 'get', 'default', 'features.images')).toBe('true\n');
  await lxc.must('project', 'switch', 'default');
  expect(await csv('list', '-c', 'n')).toEqual(['c1', 'c2']);
});
