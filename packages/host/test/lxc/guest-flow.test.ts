import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test as it } from 'vitest';
import { until } from '../harness/api.ts';
import { LxcClient, outputOf } from '../harness/lxc.ts';

// The checks of LXD's own tests of its guest API, step by step, with LXD's client on a Porthole daemon. Each
// step needs the ones before it: one instance goes through all of them.

let lxc: LxcClient;
let fingerprint: string;

/** The client program that is pushed into the instance. */
const CLIENT = fileURLToPath(new URL('../../src/build/files/devlxd.sh', import.meta.url));

beforeAll(async () => {
  lxc = await LxcClient.start();
  await lxc.must('image', 'export', 'busybox', join(lxc.folder, 'image'));
  await lxc.must('image', 'delete', 'busybox');
  await lxc.must('profile', 'device', 'add', 'default', 'eth0', 'nic', 'nictype=p2p');
});

afterAll(() => lxc?.destroy());

const inside = (...command: string[]) => lxc.run('exec', 'devlxd', '--', ...command);
const guest = (...args: string[]) => inside('devlxd.sh', ...args);
const say = async (state: string) =>
  expect(await guest('-d', JSON.stringify({ state }), '/1.0')).toMatchObject({ code: 0 });
const state = async () => (await lxc.must('list', '-f', 'csv', '-c', 's', 'devlxd')).trim();
const ready = async () => (await lxc.must('config', 'get', 'devlxd', 'volatile.last_state.ready')).trim();
const window = async () => (await inside('test', '-S', '/dev/lxd/sock')).code;

/** Starts a monitor on the host that counts the events that say that the instance is ready. */
async function watchReady() {
  const child = lxc.spawn('monitor', '--type=lifecycle');
  const output = outputOf(child);
  await until('the monitor listens', async () => {
    await lxc.must('exec', 'devlxd', '--', 'true');
    return output.text.includes('instance-exec');
  });
  const count = () => output.text.split('action: instance-ready').length - 1;
  return { count, end: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

it('1: the image is imported and found by its alias', async () => {
  expect(await lxc.must('image', 'alias', 'list', '-f', 'csv', 'testimage')).toBe('');
  const archive = join(lxc.folder, 'image.tar.gz');
  await lxc.must('image', 'import', '--quiet', archive, '--alias', 'testimage');
  const info = await lxc.must('image', 'info', 'testimage');
  fingerprint = /^Fingerprint: ([0-9a-f]{64})$/m.exec(info)?.[1] ?? '';
  expect(fingerprint).not.toBe('');
});

it('2: the guest API is off, and is switched on while the instance runs', async () => {
  const options = ['-c', 'security.devlxd=false', '-c', 'boot.autostart=true'];
  await lxc.must('launch', 'testimage', 'devlxd', ...options);
  expect(await window()).toBe(1);
  await lxc.must('config', 'unset', 'devlxd', 'security.devlxd');
  expect(await window()).toBe(0);
});

it('3: a client is pushed, and runs', async () => {
  await lxc.must('file', 'push', '--quiet', '--mode', '0755', CLIENT, 'devlxd/bin/');
  const { code, stdout } = await guest('/1.0');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    api_version: '1.0',
    instance_type: 'container',
    state: 'Started',
  });
  expect(await guest('/1.0/config/user.none')).toMatchObject({ code: 22, stdout: 'Not Found\n' });
});

it('4: an image can be downloaded only when that is allowed', async () => {
  const target = `/1.0/images/${fingerprint}/export`;
  const fetch = async () => {
    const { code, stdout } = await guest('-o', '/tmp/i', target);
    return code === 0 ? 'bytes' : stdout.trim() || `exit code ${code}`;
  };
  const refusal = async () => JSON.parse((await guest(target)).stdout).error;
  expect(await refusal()).toBe('Forbidden');
  await lxc.must('config', 'set', 'devlxd', 'security.devlxd.images=true');
  expect(await refusal()).toBe('Not Found');
  await lxc.daemon.must('image', 'set-cached', 'testimage', 'true');
  expect(await fetch()).toBe('bytes');
  await lxc.daemon.must('image', 'set-cached', 'testimage', 'false');
  expect(await refusal()).toBe('Not Found');
  const shown = await lxc.must('image', 'show', 'testimage');
  const edited = shown.replace('public: false', 'public: true');
  expect((await lxc.feed(edited, 'image', 'edit', 'testimage')).ok).toBe(true);
  expect(await fetch()).toBe('bytes');
  expect((await inside('sha256sum', '/tmp/i')).stdout).toMatch(fingerprint);
  await lxc.must('config', 'unset', 'devlxd', 'security.devlxd.images');
});

it('5: two keys are set at once, with exact values', async () => {
  await lxc.must('config', 'set', 'devlxd', 'user.foo=bar', 'user.xyz=bar %s bar');
  expect((await guest('/1.0/config/user.foo')).stdout).toBe('bar');
  expect((await guest('/1.0/config/user.xyz')).stdout).toBe('bar %s bar');
});

it('6: the guest gets each change once and in order', async () => {
  // One process for each stream, so that nothing is left when it is killed.
  const follow = (type: string) => {
    const child = lxc.spawn('exec', 'devlxd', '--', 'nc.openbsd', '-U', '/dev/lxd/sock');
    child.stdin?.write(`GET /1.0/events?type=${type} HTTP/1.0\r\nHost: lxd\r\n\r\n`);
    return child;
  };
  const children = [follow('config'), follow('device')] as const;
  const [config, device] = children.map(outputOf) as [{ text: string }, { text: string }];
  const streams = async () => (await inside('sh', '-c', 'ps | grep -c "[n]c.openbsd -U"')).stdout.trim();
  await until('both run', async () => (await streams()) === '2');
  const folder = join(lxc.folder, 'mnt');
  mkdirSync(folder);
  // Changes a key and a device, which the checks below ignore, until both streams show them.
  await until('both listen', async () => {
    await lxc.must('config', 'set', 'devlxd', 'user.probe=1');
    await lxc.must(
      'config',
      'device',
      'add',
      'devlxd',
      'probe',
      'disk',
      `source=${folder}`,
      'path=/mnt/probe',
    );
    await lxc.must('config', 'device', 'remove', 'devlxd', 'probe');
    await lxc.must('config', 'unset', 'devlxd', 'user.probe');
    return config.text.includes('user.probe') && device.text.includes('probe');
  });
  await lxc.must('config', 'set', 'devlxd', 'user.foo=baz', 'security.nesting=false');
  await lxc.must('config', 'device', 'add', 'devlxd', 'mnt', 'disk', `source=${folder}`, 'path=/mnt');
  await lxc.must('config', 'device', 'remove', 'devlxd', 'mnt');
  const told = (text: string) =>
    text
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line).metadata)
      .filter((metadata) => metadata.key !== 'user.probe' && metadata.name !== 'probe');
  await until('the last is told', () => told(device.text).length === 2);
  expect(told(config.text)).toEqual([{ key: 'user.foo', old_value: 'bar', value: 'baz' }]);
  expect(told(device.text)).toEqual([
    { action: 'added', name: 'mnt', config: { path: '/mnt', source: folder, type: 'disk' } },
    { action: 'removed', name: 'mnt', config: { path: '/mnt', source: folder, type: 'disk' } },
  ]);
  await Promise.all(children.map(end));
  await until('their processes have died', async () => (await streams()) === '0');
});

describe('7 to 10: the instance reports that it is ready', () => {
  it('and the host gets one event for it, and none for Started', async () => {
    const monitor = await watchReady();
    expect(await state()).toBe('RUNNING');
    await say('Ready');
    expect(await state()).toBe('READY');
    expect(await ready()).toBe('true');
    await say('Started');
    expect(await state()).toBe('RUNNING');
    expect(await ready()).toBe('false');
    await until('it is told', () => monitor.count() === 1);
    await say('Started');
    expect(monitor.count()).toBe(1);
    await monitor.end();
  });

  it('and this is lost with the daemon; the next one starts the instance by itself', async () => {
    await say('Ready');
    await lxc.must('stop', '--force', 'devlxd');
    await lxc.daemon.restart();
    expect(await ready()).toBe('');
    await until('it runs', async () => (await state()) === 'RUNNING');
    expect((await guest('/1.0')).code).toBe(0);
  });

  it('and can do so again after a stop and a start', async () => {
    const monitor = await watchReady();
    await say('Ready');
    await until('it is told', () => monitor.count() === 1);
    expect(await ready()).toBe('true');
    await lxc.must('stop', '--force', 'devlxd');
    expect(await ready()).toBe('false');
    await lxc.must('start', 'devlxd');
    await say('Ready');
    expect(await ready()).toBe('true');
    await until('it is told again', () => monitor.count() === 2);
    await monitor.end();
  });
});

it('11: the guest knows the address of its nic', async () => {
  const hwaddr = (await lxc.must('config', 'get', 'devlxd', 'volatile.eth0.hwaddr')).trim();
  expect(hwaddr).toMatch(/^00:16:3e:[0-9a-f:]{8}$/);
  const devices = JSON.parse((await guest('/1.0/devices')).stdout);
  expect(devices.eth0.hwaddr).toBe(hwaddr);
  expect((await inside('cat', '/sys/class/net/eth0/address')).stdout.trim()).toBe(hwaddr);
});

it('12: the instance is deleted while it runs', async () => {
  await lxc.must('delete', 'devlxd', '--force');
  expect(await lxc.must('list', '-f', 'csv', '-c', 'n')).toBe('');
  await lxc.must('image', 'delete', 'testimage');
});
