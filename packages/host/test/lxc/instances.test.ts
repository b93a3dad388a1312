import { existsSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test as it } from 'vitest';
import { parse } from 'yaml';
import { until } from '../harness/api.ts';
import { Crowd } from '../harness/crowd.ts';
import { FOREIGN_ADDRESS, ForeignContainer } from '../harness/foreign.ts';
import { LxcClient } from '../harness/lxc.ts';

let lxc: LxcClient;

beforeAll(async () => {
  lxc = await LxcClient.start();
  await lxc.must('launch', 'busybox', 'c1', '-c', 'user.role=web');
});

afterAll(() => lxc?.destroy());

const csv = async (...args: string[]) => (await lxc.must('list', '-f', 'csv', ...args)).trim().split('\n');

describe('the server', () => {
  it('shows its version and its kind', async () => {
    expect(await lxc.must('version')).toMatch(/^Client version: 5.*\nServer version: 0\.1\.0\n$/);
    const info = parse(await lxc.must('info'));
    expect(info).toMatchObject({ auth: 'trusted', environment: { server: 'porthole', driver: /./ } });
  });

  it('has no settings', async () => {
    expect(parse(await lxc.must('config', 'show'))).toEqual({ config: {} });
    expect(await lxc.must('config', 'get', 'core.https_address')).toBe('\n');
    expect(await lxc.refusal('config', 'set', 'a.b=c')).toBe("cannot set 'a.b' to 'c': unknown key");
  });
});

describe('creating, listing and deleting', () => {
  afterEach(async () => {
    const names = (await csv('-c', 'n')).filter((name) => name !== 'c1' && name !== '');
    if (names.length > 0) await lxc.must('delete', '--force', ...names);
  });

  it('creates instances in all ways', async () => {
    await lxc.must('init', 'busybox', 'c2', '-p', 'default', '-c', 'user.a=1', '-c', 'user.b=2');
    await lxc.must('init', '--empty', 'c3');
    await lxc.must('launch', 'busybox', 'c4', '--ephemeral');
    const { stdout } = await lxc.feed('config:\n  user.c: "3"\ndescription: hi\n', 'init', 'busybox');
    const named = /Instance name is: (\S+)/.exec(stdout)?.[1] ?? '';
    expect(await lxc.must('config', 'get', named, 'user.c')).toBe('3\n');
    expect(await lxc.must('config', 'get', 'c2', 'user.b')).toBe('2\n');
    expect((await csv('-c', 'nst')).sort()).toEqual(
      [
        'c1,RUNNING,CONTAINER',
        'c2,STOPPED,CONTAINER',
        'c3,STOPPED,CONTAINER',
        'c4,RUNNING,CONTAINER (EPHEMERAL)',
        `${named},STOPPED,CONTAINER`,
      ].sort(),
    );
    await lxc.must('stop', '--force', 'c4');
    expect(await csv('-c', 'n', 'c4')).toEqual(['']);
  });

  it('creates instances with devices', async () => {
    await lxc.must('profile', 'device', 'add', 'default', 'eth0', 'nic', 'nictype=p2p');
    await lxc.must('launch', 'busybox', 'c2', '-d', 'eth0,mtu=1400');
    expect(await lxc.must('config', 'device', 'get', 'c2', 'eth0', 'mtu')).toBe('1400\n');
    expect(await lxc.must('exec', 'c2', '--', 'cat', '/sys/class/net/eth0/mtu')).toBe('1400\n');
    await lxc.must('delete', '--force', 'c2');
    await lxc.must('profile', 'device', 'remove', 'default', 'eth0');
    expect(await lxc.refusal('init', 'busybox', 'c2', '-d', 'eth9,mtu=1400')).toMatch('Device not found');
  });

  it.each([
    ['by name', ['c2'], ['c2']],
    ['by a prefix of names', ['c'], ['c1', 'c2']],
    ['by status', ['status=running'], ['c1']],
    ['by several statuses', ['status=running,stopped'], ['c1', 'c2']],
    ['by key', ['user.role=web'], ['c1']],
    ['by type', ['type=container'], ['c1', 'c2']],
    ['by status and name', ['status=stopped', 'name=c2'], ['c2']],
    ['to an empty list', ['status=frozen'], ['']],
  ])('filters %s', async (_how, filters, names) => {
    await lxc.must('init', 'busybox', 'c2');
    expect(await csv('-c', 'n', ...filters)).toEqual(names);
  });

  it('lists in every format and column', async () => {
    expect(await lxc.must('list')).toMatch(/\| c1 +\| RUNNING \|/);
    expect(await lxc.must('list', '--fast')).toMatch(/\| c1 +\| RUNNING \| x86_64/);
    expect(JSON.parse(await lxc.must('list', '-f', 'json'))).toMatchObject([
      {
        name: 'c1',
        status_code: 103,
        config: { 'user.role': 'web' },
        state: { processes: expect.any(Number) },
      },
    ]);
    expect(parse(await lxc.must('list', '-f', 'yaml'))).toMatchObject([{ name: 'c1' }]);
    expect(await lxc.must('list', '-f', 'compact')).toMatch(/c1 +RUNNING/);
    const all = await csv('-c', 'nabcdDfFlmMNpPsStu46,user.role:X');
    expect(all[0]).toMatch(/^c1,x86_64,.*CONTAINER.*web$/);
  });

  it('renames only stopped instances', async () => {
    await lxc.must('init', 'busybox', 'c2');
    await lxc.must('rename', 'c2', 'c5');
    expect(await csv('-c', 'n')).toEqual(['c1', 'c5']);
    expect(await lxc.refusal('rename', 'c5', 'c1')).toBe('Name "c1" already in use');
    expect(await lxc.refusal('rename', 'c5', '-x')).not.toBe('');
    expect(await lxc.refusal('rename', 'c1', 'c6')).toBe('Renaming of running container not allowed');
  });

  it('says why it does not delete an instance', async () => {
    expect(await lxc.refusal('delete', 'c1')).toMatch('currently running');
    expect(await lxc.refusal('delete', 'none')).toMatch('Instance not found');
    await lxc.must('init', 'busybox', 'c2', '-c', 'security.protection.delete=true');
    expect(await lxc.refusal('delete', 'c2')).toBe('Container is protected');
    await lxc.must('config', 'unset', 'c2', 'security.protection.delete');
  });

  it.each([
    [['launch', 'none', 'c7'], 'Image not found'],
    [['init', 'busybox', 'c1'], /This "instances" entry already exists$/],
    [['init', 'busybox', '7c'], 'Invalid instance name: Name must not start with a number'],
    [['init', 'busybox', 'c7', '-p', 'none'], 'Requested profile "none" doesn\'t exist'],
    [['init', 'busybox', 'c7', '-c', 'nonsense=1'], /Unknown configuration key: nonsense$/],
    [['init', 'busybox', 'c7', '-t', 'c1.small'], /^Instance types such as "c1.small" are not supported/],
    [['start', 'none'], 'Instance not found'],
    [['info', 'none'], 'Instance not found'],
    [['exec', 'none', '--', 'true'], 'Instance not found'],
  ])('refuses lxc %j', async (args, text) => {
    const refusal = (await lxc.refusal(...args)).replace(/^Failed instance creation: /, '');
    expect(refusal).toEqual(typeof text === 'string' ? text : expect.stringMatching(text));
  });
});

describe('the status of an instance', () => {
  const status = async () => (await csv('-c', 's', 'c1'))[0];

  it('changes with start, stop, restart and pause', async () => {
    expect(await lxc.refusal('start', 'c1')).toMatch(/^The instance is already running/);
    await lxc.must('pause', 'c1');
    expect(await status()).toBe('FROZEN');
    expect(await lxc.refusal('exec', 'c1', '--', 'true')).toBe('Instance is frozen');
    await lxc.must('start', 'c1');
    expect(await status()).toBe('RUNNING');
    await lxc.must('restart', 'c1');
    await lxc.must('restart', '--force', 'c1');
    await lxc.must('stop', 'c1');
    expect(await status()).toBe('STOPPED');
    expect(await lxc.refusal('stop', 'c1')).toMatch(/^The instance is already stopped/);
    expect(await lxc.refusal('exec', 'c1', '--', 'true')).toBe('Instance is not running');
    await lxc.must('start', '--all');
    await lxc.must('stop', '--all', '--timeout', '20');
    await lxc.must('start', 'c1');
  });

  it('changes with --all where the action applies; where it fails, the others go on', async () => {
    await lxc.must('init', 'busybox', 'c3');
    await lxc.must('pause', '--all');
    expect(await lxc.refusal('restart', '--all')).toMatch(
      /The following instances failed to update state:\n - Instance: c1: Instance is not running/,
    );
    await lxc.must('restart', '--all', '--force');
    expect(await csv('-c', 'ns')).toContain('c3,STOPPED');
    expect(await status()).toBe('RUNNING');
    await lxc.must('delete', 'c3');
  });

  it('is shown by info, with the log', async () => {
    const info = await lxc.must('info', 'c1', '--show-log');
    expect(info).toMatch(/^Name: c1\nStatus: RUNNING\nType: container\n/);
    expect(info).toMatch(/PID: \d+\n/);
    expect(info).toMatch(/\nLog:\n/);
    await lxc.must('stop', '--force', 'c1');
    expect(await lxc.must('info', 'c1')).not.toMatch(/PID:/);
    await lxc.must('start', 'c1');
  });
});

describe('a container of another runtime', () => {
  it('is shown with its resources and addresses', async () => {
    await using foreign = await ForeignContainer.start(`porthole-test-lxc-${process.pid}`);
    await lxc.daemon.must('adopt', 'web', '--pid', String(foreign.pid));
    await until('its work is counted', async () =>
      /Memory \(current\): [1-9]/.test(await lxc.must('info', 'web')),
    );
    expect(await lxc.must('info', 'web')).toMatch(
      new RegExp(`PID: ${foreign.pid}\\n[^]*Processes: [1-9][^]*inet: +${FOREIGN_ADDRESS}/24 \\(global\\)`),
    );
    expect(await csv('-c', 'ns4', 'web')).toEqual([`web,RUNNING,${FOREIGN_ADDRESS} (eth0)`]);
    await lxc.must('query', '-X', 'DELETE', '--wait', '/1.0/instances/web');
  });

  it('cannot be stopped, and runs on when its instance is deleted', async () => {
    await using foreign = await Crowd.make(1);
    await lxc.daemon.must('adopt', 'web', '--pid', String(foreign.pid()));
    expect(await csv('-c', 'nsp', 'web')).toEqual([`web,RUNNING,${foreign.pid()}`]);
    for (const command of [
      ['stop', 'web'],
      ['stop', '--force', 'web'],
      ['delete', '--force', 'web'],
    ]) {
      expect(await lxc.refusal(...command)).toMatch(/runtime/);
      expect(await csv('-c', 'ns', 'web')).toEqual(['web,RUNNING']);
    }
    await lxc.must('query', '-X', 'DELETE', '--wait', '/1.0/instances/web');
    expect(await csv('-c', 'n', 'web')).toEqual(['']);
    expect(existsSync(`/proc/${foreign.pid()}`)).toBe(true);
  });
});
