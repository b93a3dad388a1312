import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test as it } from 'vitest';
import { run } from '../../src/process/run.ts';
import { LxcClient } from '../harness/lxc.ts';
import { Operator } from '../harness/operator.ts';

const PLAYBOOKS = fileURLToPath(new URL('../programs/ansible/', import.meta.url));
const TIMEOUT_MS = 300_000;

/** What a play says of each task, by the name of the task. */
type Report = Record<
  string,
  { changed: boolean; failed?: boolean; msg?: string; stdout?: string; rc?: number }
>;

/** The connection plugin runs LXD's client. */
let lxc: LxcClient;
let env: Record<string, string>;

beforeAll(async () => {
  if (!existsSync('/usr/bin/ansible-playbook'))
    throw new Error('Ansible is missing: apt-get install ansible');
  lxc = await LxcClient.start();
  const operator = new Operator(lxc.daemon);
  await operator.launch('frozen');
  await operator.state('frozen', 'freeze');
  env = {
    ...lxc.env,
    LC_ALL: 'C.UTF-8',
    PORTHOLE_URL: `unix:${lxc.daemon.hostSocket}`,
    ANSIBLE_STDOUT_CALLBACK: 'json',
    ANSIBLE_LOCAL_TEMP: join(lxc.folder, 'ansible'),
    ANSIBLE_PYTHON_INTERPRETER: '/usr/bin/python3',
    ANSIBLE_LOCALHOST_WARNING: 'false',
  };
});

afterAll(() => lxc?.destroy());

async function must(command: string, ...args: string[]): Promise<string> {
  const { ok, failure, stdout, stderr } = await run(command, args, {
    env,
    cwd: lxc.folder,
    timeoutMs: TIMEOUT_MS,
  });
  if (!ok) throw new Error(`${failure}\n${stdout}\n${stderr}`);
  return stdout;
}

/** Runs a playbook of `programs/ansible`. */
async function play(playbook: string, host: string): Promise<Report> {
  const output = await must('/usr/bin/ansible-playbook', '-i', `${host},`, join(PLAYBOOKS, playbook));
  const [{ tasks }] = JSON.parse(output).plays;
  return Object.fromEntries(
    tasks.map(({ task, hosts }: { task: { name: string }; hosts: Report }) => [task.name, hosts[host]]),
  );
}

const changedIn = (report: Report) =>
  Object.fromEntries(Object.entries(report).map(([name, { changed }]) => [name, changed]));

it('makes a profile and instances, and a second run changes nothing', async () => {
  expect(changedIn(await play('site.yml', 'localhost'))).toEqual({
    profile: true,
    created: true,
    started: true,
    gone: false,
  });
  const again = await play('site.yml', 'localhost');
  expect(Object.values(again).filter(({ changed }) => changed)).toEqual([]);
});

it('runs commands and scripts inside an instance, and transfers files', async () => {
  const { command, script, ...rest } = await play('inside.yml', 'web1');
  expect(command?.stdout?.trim()).toBe('role of web1');
  expect(script?.stdout).toContain('script /');
  expect(rest['failing command']).toMatchObject({ failed: true, rc: 3 });
  const [source, copy] = [join(lxc.folder, 'source'), join(lxc.folder, 'copy')];
  writeFileSync(source, Buffer.from([0, 255, 10, 13]));
  await must('/usr/bin/python3', join(PLAYBOOKS, 'transfer.py'), 'web1', source, copy);
  expect(readFileSync(copy)).toEqual(readFileSync(source));
});

it('lists instances with addresses and groups', async () => {
  await lxc.must('exec', 'web1', '--', 'ip', 'addr', 'add', '10.87.1.2/24', 'dev', 'eth0');
  await lxc.must('exec', 'web1', '--', 'ip', 'link', 'set', 'eth0', 'up');
  mkdirSync(join(lxc.folder, 'inventory'));
  const file = join(lxc.folder, 'inventory', 'porthole.lxd.yml');
  const groups = {
    webservers: { type: 'profile', attribute: 'web' },
    busyboxes: { type: 'os', attribute: 'busybox' },
    near: { type: 'network_range', attribute: '10.87.0.0/16' },
    named: { type: 'pattern', attribute: 'ma' },
  };
  const settings = { plugin: 'community.general.lxd', url: env['PORTHOLE_URL'], groupby: groups };
  writeFileSync(file, JSON.stringify(settings));
  const { _meta: meta, ...inventory } = JSON.parse(
    await must('/usr/bin/ansible-inventory', '-i', file, '--list'),
  );
  expect(Object.keys(meta.hostvars).sort()).toEqual(['frozen', 'made', 'web1']);
  expect(meta.hostvars.web1).toMatchObject({
    ansible_host: '10.87.1.2',
    ansible_lxd_state: 'running',
    ansible_lxd_profile: ['default', 'web'],
    ansible_lxd_type: 'container',
  });
  expect(meta.hostvars.made).toMatchObject({ ansible_lxd_state: 'stopped' });
  const hosts = (group: string) => inventory[group]?.hosts.sort();
  expect([hosts('webservers'), hosts('near'), hosts('named')]).toEqual([['web1'], ['web1'], ['made']]);
  expect(hosts('busyboxes')).toEqual(['frozen', 'made', 'web1']);
});

it('changes states of instances, and profiles', async () => {
  const same = ['still stopped', 'still absent', 'same profile', 'still no profile', 'project'];
  const changed = changedIn(await play('changes.yml', 'localhost'));
  expect(Object.keys(changed)).toHaveLength(16);
  expect(Object.keys(changed).filter((name) => !changed[name])).toEqual(same);
  expect(await lxc.must('list', '-f', 'csv', '-c', 'n')).toBe('frozen\nweb1\n');
});

it('shows the daemon’s sentence for what is refused', async () => {
  const report = await play('refused.yml', 'localhost');
  const said = Object.fromEntries(Object.entries(report).map(([name, { msg }]) => [name, msg]));
  expect(said).toEqual({
    'unknown image': 'Image alias not found',
    'image of a server': 'Images of other servers are not supported: import the image first',
    'unknown key': 'Failed creating instance record: Unknown configuration key: nosuch',
    'virtual machine': 'Porthole has no virtual machines: its instances are containers',
    'member of a cluster':
      'This server is not clustered: it is a single host, and `porthole cluster enable` makes it a member of a fleet',
    project: 'Project not found',
    'frozen again': 'The instance is already frozen',
    'new project': 'Porthole has one project, default: it makes, changes and deletes none',
  });
});
