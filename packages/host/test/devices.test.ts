import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test as it } from 'vitest';
import { run } from '../src/process/run.ts';
import { mountsBelow, TestDaemon } from './harness/daemon.ts';
import { Operator } from './harness/operator.ts';

/** Not the name of another run's bridge, should one have been killed. */
const BRIDGE = `br-t-${process.pid}`;
const LATE_BRIDGE = `br-l-${process.pid}`;
const LOOPBACK = { family: 'inet', address: '127.0.0.1', netmask: '8', scope: 'local' };

let daemon: TestDaemon;
let operator: Operator;
/** A folder that only root may enter, and in it a folder to share. */
let hidden: string;
let shared: string;

beforeAll(async () => {
  daemon = await TestDaemon.start();
  operator = new Operator(daemon);
  await daemon.must('image', 'build', 'busybox', '--public');
  hidden = mkdtempSync('/var/tmp/porthole-test-source-');
  chmodSync(hidden, 0o700);
  shared = join(hidden, 'shared');
  mkdirSync(join(shared, 'below'), { recursive: true });
  chmodSync(shared, 0o777);
  writeFileSync(join(shared, 'f'), 'from the host\n');
  await ip('link', 'add', BRIDGE, 'type', 'bridge');
  await operator.launch('c1');
});

afterAll(async () => {
  await daemon?.destroy();
  await run('ip', ['link', 'delete', BRIDGE]);
  if (hidden) rmSync(hidden, { recursive: true });
  expect(mountsBelow(daemon.stateDir)).toEqual([]);
  expect(existsSync(daemon.stateDir)).toBe(false);
});

/** Removes the devices that a test has added to c1. */
afterEach(async () => {
  const { devices } = await operator.get('c1');
  const none = Object.fromEntries(Object.keys(devices).map((name) => [name, null]));
  await operator.patch('c1', { devices: none });
});

const message = (text: string) => expect.objectContaining({ message: expect.stringMatching(text) });
const refused = (work: Promise<unknown>, text: string) => expect(work).rejects.toEqual(message(text));
const inside = (script: string) => operator.sh('c1', script);
const add = (name: string, options: Readonly<Record<string, string>>) => operator.device('c1', name, options);
const remove = (name: string) => operator.device('c1', name, null);

async function ip(...args: string[]): Promise<string> {
  const result = await run('ip', args);
  if (!result.ok) throw new Error(result.failure);
  return result.stdout;
}

const disk = (path: string, more: Readonly<Record<string, string>> = {}) => ({
  type: 'disk',
  source: shared,
  path,
  ...more,
});

async function restart(): Promise<void> {
  await operator.state('c1', 'restart', { force: true });
}

describe('a disk', () => {
  it('is visible inside as soon as it is added, and gone with its mount point when it is removed', async () => {
    await add('data', disk('/made/for/it'));
    expect(await inside('cat /made/for/it/f')).toBe('from the host');
    await inside('echo hello > /made/for/it/g');
    expect(existsSync(join(shared, 'g'))).toBe(true);
    await remove('data');
    expect(await inside('ls -d /made/for/it 2>/dev/null || echo gone')).toBe('gone');
    expect(await inside('grep -c /made /proc/mounts || true')).toBe('0');
  });

  it('leaves a mount point alone that existed before', async () => {
    await inside('mkdir -p /own && echo mine > /own/f');
    await add('data', disk('/own'));
    expect(await inside('cat /own/f')).toBe('from the host');
    await remove('data');
    expect(await inside('cat /own/f')).toBe('mine');
  });

  it('cannot be written to when it is readonly, live and after a start', async () => {
    await add('data', disk('/ro', { readonly: 'true' }));
    const attempts = 'touch /ro/x 2>&1; mount -o remount,rw /ro 2>&1; touch /ro/x 2>&1 || true';
    expect(await inside(attempts)).toMatch(/Read-only/);
    await restart();
    expect(await inside('cat /ro/f')).toBe('from the host');
    expect(await inside(attempts)).toMatch(/Read-only/);
    expect(existsSync(join(shared, 'x'))).toBe(false);
  });

  it('is mounted at the start, also from a folder that only root may enter, and also as a single file', async () => {
    await add('data', disk('/data'));
    await add('file', disk('/data-file', { source: join(shared, 'f') }));
    await restart();
    expect(await inside('cat /data/f /data-file')).toBe('from the host\nfrom the host');
    expect(mountsBelow(daemon.stateDir).filter((path) => path.includes('/mounts/'))).toEqual([]);
    await remove('file');
    expect(await inside('grep -c data-file /proc/mounts || true')).toBe('0');
  });

  it('is unmounted and mounted again when its path changes', async () => {
    await add('data', disk('/one'));
    await add('data', disk('/two'));
    expect(await inside('cat /two/f; ls -d /one 2>/dev/null || echo gone')).toBe('from the host\ngone');
  });

  it('is refused without a source on the host, unless it is not required', async () => {
    const nowhere = join(hidden, 'nowhere');
    const block = join(hidden, 'block');
    await run('mknod', [block, 'b', '7', '0']);
    await refused(add('data', disk('/data', { source: nowhere })), `Missing source path "${nowhere}"`);
    await refused(add('data', disk('/data', { source: block })), `The source "${block}" is a block device`);
    expect((await operator.get('c1')).devices).toEqual({});
    await add('data', disk('/data', { source: nowhere, required: 'false' }));
    expect(await inside('grep -c " /data " /proc/mounts || true')).toBe('0');
    await restart();
  });

  it('that was mounted for a first start before the daemon crashed is unmounted by the next daemon', async () => {
    await operator.create('c4', { devices: { data: disk('/data') } });
    await daemon.kill();
    const instances = join(daemon.stateDir, 'instances');
    const id =
      readdirSync(instances)
        .sort((one, other) => Number(one) - Number(other))
        .at(-1) ?? '';
    const place = join(instances, id, 'mounts', 'data');
    mkdirSync(place, { recursive: true });
    for (let layer = 0; layer < 2; layer++) await run('mount', ['--bind', shared, place]);
    await daemon.start();
    expect(mountsBelow(daemon.stateDir)).toEqual([]);
    expect(existsSync(place)).toBe(false);
    await operator.delete('c4');
    expect(existsSync(join(shared, 'f'))).toBe(true);
  });

  it('follows symbolic links inside the instance, and never leads out of it', async () => {
    await inside('ln -sfn /etc /root/link');
    await add('data', disk('/root/link/porthole-data'));
    expect(await inside('cat /etc/porthole-data/f')).toBe('from the host');
    expect(existsSync('/etc/porthole-data')).toBe(false);
    await remove('data');
    await inside('rm /root/link');
  });

  it('may not cover the guest API mount', async () => {
    await refused(add('data', disk('/dev/lxd')), 'guest API');
    await refused(add('data', disk('/dev//lxd/x')), 'guest API');
    expect(await inside('devlxd /1.0')).toContain('"api_version":"1.0"');
  });
});

describe('a unix-char device', () => {
  const node = { type: 'unix-char', source: '/dev/zero', path: '/dev/my-zero', mode: '0666', uid: '7' };
  const check = () => inside('stat -c "%F %a %u" /dev/my-zero; head -c 3 /dev/my-zero | wc -c');

  it('is made in a running instance with its mode and owner, works, and is removed', async () => {
    await add('zero', node);
    expect(await check()).toBe('character special file 666 7\n3');
    await remove('zero');
    expect(await inside('ls /dev/my-zero 2>/dev/null || echo gone')).toBe('gone');
  });

  it('is there after a start', async () => {
    await add('zero', node);
    await restart();
    expect(await check()).toBe('character special file 666 7\n3');
  });

  it('is refused for a file that is not a device', async () => {
    await refused(add('zero', { ...node, source: '/etc/passwd' }), 'Path needs to be in /dev');
    await refused(add('zero', { ...node, source: '/dev/pts' }), 'Not a character device: /dev/pts');
    await refused(add('zero', { ...node, source: '/dev/nowhere' }), "The required device path doesn't exist");
    await add('zero', { ...node, source: '/dev/nowhere', required: 'false' });
    await remove('zero');
  });

  it('is refused if the instance does not have its owner', async () => {
    await refused(
      add('zero', { ...node, uid: '65536' }),
      'The instance has no user 65536: its ids are 0 to 65535',
    );
    await refused(add('zero', { ...node, gid: '70000' }), 'The instance has no group 70000');
  });

  it('works in a privileged instance, live and at the start', async () => {
    const fuse = { type: 'unix-char', source: '/dev/fuse', path: '/dev/fuse' };
    await operator.launch('p1', { config: { 'security.privileged': 'true' } });
    try {
      await operator.device('p1', 'fuse', fuse);
      await operator.sh('p1', 'exec 3<>/dev/fuse');
      await operator.state('p1', 'restart', { force: true });
      await operator.sh('p1', 'exec 3<>/dev/fuse');
      // LXC does not allow /dev/kmsg to every container. A node that the instance makes shows whether it is
      // allowed.
      const own = 'rm -f /own; mknod /own c 1 11; head -c 1 /own | wc -c';
      const kmsg = { type: 'unix-char', source: '/dev/kmsg' };
      expect(await operator.sh('p1', own)).toBe('0');
      await operator.device('p1', 'log', { ...kmsg, path: '/dev/log1' });
      await operator.device('p1', 'log2', { ...kmsg, path: '/dev/log2' });
      expect(await operator.sh('p1', own)).toBe('1');
      await operator.device('p1', 'log', null);
      expect(await operator.sh('p1', own)).toBe('1');
      await operator.device('p1', 'log2', null);
      expect(await operator.sh('p1', own)).toBe('0');
      await operator.device('p1', 'fuse', null);
      await operator.sh('p1', 'mknod /fuse c 10 229; exec 3<>/fuse');
    } finally {
      await operator.state('p1', 'stop', { force: true });
      await operator.delete('p1');
    }
  });
});

describe('a nic', () => {
  const bridged = { type: 'nic', nictype: 'bridged', parent: BRIDGE, name: 'eth0', mtu: '1400' };
  const p2p = { type: 'nic', nictype: 'p2p', name: 'eth1', hwaddr: '00:16:3e:aa:bb:cc' };
  const volatile = async (key: string) => (await operator.get('c1')).config[`volatile.${key}`] ?? '';
  const onBridge = async () =>
    (JSON.parse(await ip('-j', 'link', 'show', 'master', BRIDGE)) as { ifname: string }[]).map(
      ({ ifname }) => ifname,
    );
  const check = async () => {
    expect(await inside('cat /sys/class/net/eth0/address')).toBe(await volatile('lan.hwaddr'));
    expect(await inside('cat /sys/class/net/eth0/mtu')).toBe('1400');
    expect(await inside('cat /sys/class/net/eth1/address')).toBe('00:16:3e:aa:bb:cc');
    expect(await onBridge()).toEqual([await volatile('lan.host_name')]);
    expect(await volatile('wire.host_name')).toMatch(/^veth/);
  };

  it('is added to a running instance and removed, both ends', async () => {
    await add('lan', bridged);
    await add('wire', p2p);
    await check();
    const hostName = await volatile('wire.host_name');
    await remove('lan');
    await remove('wire');
    expect(await inside('ls /sys/class/net')).toBe('lo');
    expect(await onBridge()).toEqual([]);
    expect(existsSync(`/sys/class/net/${hostName}`)).toBe(false);
    expect(await volatile('lan.host_name')).toBe('');
  });

  it('is there after a start with the same address, and can be removed then', async () => {
    await add('lan', bridged);
    await add('wire', p2p);
    const address = await volatile('lan.hwaddr');
    await restart();
    await check();
    expect(await volatile('lan.hwaddr')).toBe(address);
    await remove('lan');
    expect(await onBridge()).toEqual([]);
    await remove('wire');
    expect(await inside('ls /sys/class/net')).toBe('lo');
  });

  it('carries traffic to the host', async () => {
    await ip('address', 'add', '10.199.7.1/24', 'dev', BRIDGE);
    await ip('link', 'set', BRIDGE, 'up');
    await add('lan', bridged);
    await inside('ip link set eth0 up && ip address add 10.199.7.2/24 dev eth0');
    expect(await inside('ping -c 1 -W 5 10.199.7.1')).toContain('1 packets received');
  });

  it('shows in the state with its ends, addresses and counters', async () => {
    await add('lan', bridged);
    await inside('ip link set lo up; ip link set eth0 up && ip address add 10.199.7.2/24 dev eth0');
    const { network } = await operator.client.get<{ network: object }>('/1.0/instances/c1/state');
    expect(Object.keys(network)).toEqual(['lo', 'eth0']);
    expect(network).toMatchObject({
      lo: { type: 'loopback', state: 'up', hwaddr: '', addresses: expect.arrayContaining([LOOPBACK]) },
      eth0: {
        ...{ type: 'broadcast', state: 'up', mtu: 1400, counters: { bytes_received: expect.any(Number) } },
        ...{ hwaddr: await volatile('lan.hwaddr'), host_name: await volatile('lan.host_name') },
        addresses: expect.arrayContaining([
          { family: 'inet', address: '10.199.7.2', netmask: '24', scope: 'global' },
        ]),
      },
    });
  });

  it('is shown in the state only up to a limit when an instance makes hundreds', async () => {
    await add('lan', bridged);
    await inside('for i in $(seq 200); do ip link add d$i type veth peer name e$i; done');
    const { network } = await operator.client.get<{ network: object }>('/1.0/instances/c1/state');
    expect(Object.keys(network)).toEqual(expect.arrayContaining(['lo', 'd1']));
    expect(Object.keys(network).length).toBeLessThan(300);
    await restart();
  });

  it('takes new limits while it runs', async () => {
    await add('lan', bridged);
    await add('lan', { ...bridged, 'limits.ingress': '10Mbit' });
    const hostName = await volatile('lan.host_name');
    const { stdout } = await run('tc', ['qdisc', 'show', 'dev', hostName]);
    expect(stdout).toMatch(/tbf.*rate 10Mbit/);
    await add('lan', bridged);
    expect(await volatile('lan.host_name')).toBe(hostName);
    expect((await run('tc', ['qdisc', 'show', 'dev', hostName])).stdout).not.toMatch(/tbf/);
  });

  it('on a bridge that comes up after the daemon delays the automatic start of its instance only', async () => {
    const config = { 'boot.autostart': 'true', 'boot.autostart.priority': '1' };
    const late = { ...bridged, parent: LATE_BRIDGE };
    await operator.create('late', { config, devices: { lan: late } });
    await operator.create('prompt', { config: { 'boot.autostart': 'true' } });
    await daemon.stop();
    const waits = daemon.logged('instance waits with its automatic start for a bridge');
    const promptStarts = daemon.logged('instance started automatically');
    await daemon.start();
    expect(await waits).toMatchObject({ instance: 'late', reason: expect.stringContaining(LATE_BRIDGE) });
    expect(await promptStarts).toMatchObject({ instance: 'prompt' });
    await refused(
      operator.state('late', 'start'),
      `^Failed to start device "lan": Parent device "${LATE_BRIDGE}" doesn't exist$`,
    );
    const lateStarts = daemon.logged('instance started automatically');
    await ip('link', 'add', LATE_BRIDGE, 'type', 'bridge');
    expect(await lateStarts).toMatchObject({ instance: 'late' });
    expect(await operator.sh('late', 'cat /sys/class/net/eth0/mtu')).toBe('1400');
    for (const name of ['late', 'prompt']) {
      await operator.state(name, 'stop', { force: true });
      await operator.delete(name);
    }
    await ip('link', 'delete', LATE_BRIDGE);
  });

  it('is refused on a bridge that is not there', async () => {
    await refused(
      add('lan', { ...bridged, parent: 'br-nowhere' }),
      'Parent device "br-nowhere" doesn\'t exist',
    );
    expect(await inside('ls /sys/class/net')).toBe('lo');
  });
});

describe('profiles', () => {
  const put = (name: string, fields: Readonly<Record<string, unknown>>) =>
    operator.client.change('PUT', `/1.0/profiles/${name}`, { json: { config: {}, devices: {}, ...fields } });

  beforeAll(async () => {
    await operator.client.change('POST', '/1.0/profiles', { json: { name: 'extra' } });
    await operator.patch('c1', { profiles: ['default', 'extra'] });
  });

  it('take effect in running instances: keys and devices', async () => {
    await put('extra', { config: { 'user.from': 'profile' }, devices: { data: disk('/p') } });
    expect(await inside('devlxd /1.0/config/user.from; cat /p/f')).toBe('profilefrom the host');
    await put('extra', {});
    expect(await inside('ls -d /p 2>/dev/null || echo gone')).toBe('gone');
    expect((await operator.exec('c1', ['devlxd', '/1.0/config/user.from'])).code).toBe(22);
  });

  it('are masked by a device of the type none, and take effect again when it is removed', async () => {
    await put('extra', { devices: { data: disk('/p') } });
    await add('data', { type: 'none' });
    expect(await inside('ls -d /p 2>/dev/null || echo gone')).toBe('gone');
    await restart();
    expect(await inside('grep -c " /p " /proc/mounts || true')).toBe('0');
    await remove('data');
    expect(await inside('cat /p/f')).toBe('from the host');
    await put('extra', {});
  });

  it('change nothing when the change fails in one instance', async () => {
    await operator.launch('c2', { profiles: ['default', 'extra'] });
    try {
      await operator.sh('c2', 'touch /in-the-way');
      const devices = { data: disk('/in-the-way') };
      await refused(put('extra', { config: { 'user.x': '1' }, devices }), 'Failed to start device "data"');
      expect(await inside('ls -d /in-the-way 2>/dev/null || echo gone')).toBe('gone');
      expect((await operator.get('c1')).expanded_devices).not.toHaveProperty('data');
      expect((await operator.exec('c1', ['devlxd', '/1.0/config/user.x'])).code).toBe(22);
    } finally {
      await operator.state('c2', 'stop', { force: true });
      await operator.delete('c2');
    }
  });
});

describe('a failing change', () => {
  it('removes the devices that it has added, and stores nothing', async () => {
    await inside('touch /blocked');
    const devices = { aaa: disk('/first'), zzz: disk('/blocked') };
    await refused(
      operator.patch('c1', { config: { 'user.x': '1' }, devices }),
      '^Failed to start device "zzz"',
    );
    expect(await inside('ls -d /first 2>/dev/null || echo gone')).toBe('gone');
    expect(await inside('grep -c "/first\\|/blocked" /proc/mounts || true')).toBe('0');
    const { devices: after, config } = await operator.get('c1');
    expect(after).toEqual({});
    expect(config).not.toHaveProperty('user.x');
    await inside('rm /blocked');
  });

  it('puts back the devices that it has removed', async () => {
    await inside('touch /blocked');
    await add('old', disk('/old'));
    const devices = { old: null, zzz: disk('/blocked') };
    await refused(operator.patch('c1', { devices }), '^Failed to start device "zzz"');
    expect(await inside('cat /old/f')).toBe('from the host');
    await remove('old');
    expect(await inside('ls -d /old 2>/dev/null || echo gone; rm /blocked')).toBe('gone');
  });

  it('explains in a sentence why the kernel refuses, with the kernel’s word at the end', async () => {
    const file = join(shared, 'f');
    const nic = (more: Readonly<Record<string, string>>) => ({ type: 'nic', nictype: 'p2p', ...more });
    const failed = 'Failed to start device "d": ';
    for (const [device, text] of [
      [
        disk('/etc/passwd'),
        'The source is a folder, but "/etc/passwd" in the instance is not (move_mount: EINVAL)',
      ],
      [
        disk('/etc', { source: file }),
        'The source is not a folder, but "/etc" in the instance is one (move_mount: EINVAL)',
      ],
      [
        disk('/etc/passwd/x'),
        '"/etc/passwd/x" cannot be in the instance: a part of that path is not a folder there (lstat: ENOTDIR)',
      ],
      [
        disk('/proc/x'),
        '"/proc/x" does not exist in the instance and cannot be made there (move_mount: ENOENT)',
      ],
      [nic({ host_name: 'lo' }), `The host's interface "lo" cannot be made (File exists)`],
      [nic({ name: 'lo' }), 'The instance takes no interface with the name "lo" (File exists)'],
      [nic({ 'limits.ingress': '1' }), 'The rate "1" cannot be had (tbf: the "rate" parameter is mandatory)'],
    ] as const)
      await expect(add('d', device)).rejects.toMatchObject({ message: `${failed}${text}` });
    await operator.create('c3', { devices: { d: disk('/etc/passwd') } });
    await refused(
      operator.state('c3', 'start'),
      `^${failed}of the source and "/etc/passwd" in the instance, one is`,
    );
    await operator.delete('c3');
  });

  it('is refused for an unknown type or option', async () => {
    await refused(add('gpu', { type: 'gpu' }), 'Invalid devices');
    await refused(add('bad', { type: 'nonsense' }), 'Invalid devices');
    await refused(add('bad', disk('/x', { colour: 'red' })), 'Invalid devices');
    expect((await operator.get('c1')).devices).toEqual({});
  });

  it('lets a start fail with an error that names the device, and leaves no mount', async () => {
    const source = join(hidden, 'short-lived');
    mkdirSync(source);
    await operator.create('c3', { devices: { good: disk('/good'), zzz: disk('/data', { source }) } });
    rmSync(source, { recursive: true });
    await refused(operator.state('c3', 'start'), '^Failed to start device "zzz"');
    expect(mountsBelow(daemon.stateDir).filter((path) => path.includes('/mounts/'))).toEqual([]);
    expect((await operator.statuses())['c3']).toBe('Stopped');
    await operator.delete('c3');
  });
});
