import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test as it } from 'vitest';
import { uploadImage } from '../src/client/upload.ts';
import { run } from '../src/process/run.ts';
import { until } from './harness/api.ts';
import { cycles } from './harness/cycles.ts';
import { mountsBelow, TestDaemon } from './harness/daemon.ts';
import { begin, Operator } from './harness/operator.ts';

const CYCLES = cycles(4, 15);
/** The daemon is killed at a random moment within this time after work has begun. */
const LONGEST_LIFE_MS = 900;
/** A little longer than a restart takes, until the instance runs again. */
const LONGEST_RESTART_MS = 600;

/** Instances that run through all tests; the devices of `d1` change. */
const KEPT: readonly string[] = ['c1', 'd1'];

let daemon: TestDaemon;
let operator: Operator;
let files: string;

beforeAll(async () => {
  daemon = await TestDaemon.start();
  operator = new Operator(daemon);
  files = mkdtempSync('/var/tmp/porthole-test-files-');
  chmodSync(files, 0o755);
  writeFileSync(join(files, 'f'), 'from the host\n');
  await daemon.must('image', 'build', 'busybox', '--public');
  await operator.launch('c1');
  await operator.launch('d1');
});

/** Deletes the instances that a failed test has left, so that the next tests do not fail too. */
beforeEach(async () => {
  for (const name of Object.keys(await operator.statuses())) if (!KEPT.includes(name)) await drop(name);
});

afterAll(async () => {
  await daemon?.destroy();
  if (files) rmSync(files, { recursive: true });
  expect(mountsBelow(daemon.stateDir)).toEqual([]);
  expect(existsSync(daemon.stateDir)).toBe(false);
});

const at = (...names: string[]) => join(daemon.stateDir, ...names);

/** Names in a folder of the state directory, in order. */
const entries = (folder: string) => readdirSync(at(folder)).sort();

/** Number of host processes that LXC keeps for instances of this daemon: one for each that runs. */
async function monitors(): Promise<number> {
  const { stdout } = await run('ps', ['-eo', 'args']);
  return stdout.split('\n').filter((line) => line.includes(`[lxc monitor] ${at('instances')}`)).length;
}

async function drop(name: string): Promise<void> {
  if ((await operator.statuses())[name] !== 'Stopped') await operator.state(name, 'stop', { force: true });
  await operator.delete(name);
}

/** The changes that were acknowledged. A change under way when the daemon died may be made or not. */
class Ledger {
  readonly values = new Map<string, { sure: string; perhaps?: string }>();
  readonly instances = new Map<string, 'there' | 'gone' | 'perhaps'>();
  readonly images = new Map<string, 'there' | 'perhaps'>();
  devices: { sure: boolean; perhaps?: boolean } = { sure: false };
}

/** Repeats a step until the daemon dies. @param step notes what it does, and does it */
async function keepDoing(step: (round: number) => Promise<void>): Promise<number> {
  for (let round = 0; ; round++) {
    try {
      await step(round);
    } catch {
      return round;
    }
  }
}

function changeConfig(ledger: Ledger, cycle: number): Promise<number> {
  return keepDoing(async (round) => {
    const key = `user.k${round % 5}`;
    const value = `${cycle}.${round}`;
    const before = ledger.values.get(key)?.sure ?? '';
    ledger.values.set(key, { sure: before, perhaps: value });
    await operator.patch('c1', { config: { [key]: value } });
    ledger.values.set(key, { sure: value });
  });
}

function changeDevice(ledger: Ledger): Promise<number> {
  return keepDoing(async () => {
    const { sure } = ledger.devices;
    ledger.devices = { sure, perhaps: !sure };
    await operator.device('d1', 'data', sure ? null : { type: 'disk', source: files, path: '/data' });
    ledger.devices = { sure: !sure };
  });
}

function launchAndDelete(ledger: Ledger, cycle: number): Promise<number> {
  return keepDoing(async (round) => {
    const name = `i${cycle}-${round}`;
    ledger.instances.set(name, 'perhaps');
    await operator.create(name);
    ledger.instances.set(name, 'there');
    await operator.state(name, 'start');
    if (round % 2 === 0) return;
    await operator.state(name, 'stop', { force: true });
    ledger.instances.set(name, 'perhaps');
    await operator.delete(name);
    ledger.instances.set(name, 'gone');
  });
}

/** Packs an image whose bytes, and so its fingerprint, differ from all others. */
async function archive(name: string): Promise<string> {
  const folder = join(files, name);
  mkdirSync(join(folder, 'rootfs'), { recursive: true });
  writeFileSync(
    join(folder, 'metadata.yaml'),
    `architecture: x86_64\ncreation_date: 1\nproperties: {name: ${name}}\n`,
  );
  const file = join(files, `${name}.tar`);
  const packed = await run('tar', ['-cf', file, '-C', folder, 'metadata.yaml', 'rootfs']);
  if (!packed.ok) throw new Error(packed.failure);
  return file;
}

function importImages(ledger: Ledger, cycle: number): Promise<number> {
  return keepDoing(async (round) => {
    const name = `image-${cycle}-${round}`;
    const file = await archive(name);
    ledger.images.set(name, 'perhaps');
    await uploadImage(operator.client, { kind: 'unified', file }, { public: true, properties: {} });
    ledger.images.set(name, 'there');
  });
}

async function checkLedger(ledger: Ledger): Promise<void> {
  const { config } = await operator.get('c1');
  for (const [key, { sure, perhaps }] of ledger.values) {
    expect([sure, perhaps]).toContain(config[key] ?? '');
    ledger.values.set(key, { sure: config[key] ?? '' });
  }
  await checkDevice(ledger);
  const names = Object.keys(await operator.statuses());
  for (const [name, state] of ledger.instances) {
    if (state !== 'perhaps') expect([name, names.includes(name)]).toEqual([name, state === 'there']);
  }
  expect(names.filter((name) => !KEPT.includes(name) && !ledger.instances.has(name))).toEqual([]);
  const images =
    await operator.client.get<{ fingerprint: string; properties: { name: string } }[]>(
      '/1.0/images?recursion=1',
    );
  const imageNames = images.map(({ properties }) => properties.name);
  for (const [name, state] of ledger.images) if (state === 'there') expect(imageNames).toContain(name);
  const fingerprints = images.map(({ fingerprint }) => fingerprint).sort();
  await until('leftover images are gone', () => entries('images').join() === fingerprints.join());
}

/** Checks that a change cut off by the crash is stored, or undone inside with its mount point. */
async function checkDevice(ledger: Ledger): Promise<void> {
  const { sure, perhaps } = ledger.devices;
  const isThere = 'data' in (await operator.get('d1')).devices;
  expect([sure, perhaps]).toContain(isThere);
  ledger.devices = { sure: isThere };
  const seen = await operator.exec('d1', ['sh', '-c', '[ ! -e /data ] || cat /data/f']);
  expect(seen).toEqual({ code: 0, err: '', stdout: isThere ? 'from the host\n' : '', stderr: '' });
}

async function checkHost(): Promise<void> {
  expect(mountsBelow(daemon.stateDir)).toEqual([]);
  const statuses = await operator.statuses();
  const { length } = Object.keys(statuses);
  await until('leftover instances are gone', () => entries('instances').length === length);
  await until('leftover roots are gone', () =>
    entries('rootfs').every((name) => /^[0-9a-f]{64}-\d+$/.test(name)),
  );
  const running = Object.keys(statuses).filter((name) => statuses[name] === 'Running');
  expect(await monitors()).toBe(running.length);
  for (const name of running) {
    expect(await operator.sh(name, 'devlxd /1.0/meta-data')).toContain(`local-hostname: ${name}`);
  }
}

describe('a daemon that is killed at any moment', () => {
  it(`keeps all that it has acknowledged and leaves nothing half done, ${CYCLES} times`, async () => {
    const ledger = new Ledger();
    const pid = await operator.pid('c1');
    let done = 0;
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      const work = [
        changeConfig(ledger, cycle),
        changeDevice(ledger),
        launchAndDelete(ledger, cycle),
        importImages(ledger, cycle),
      ];
      const life = Math.random() * LONGEST_LIFE_MS;
      await wait(life);
      await daemon.kill();
      for (const rounds of await Promise.all(work)) done += rounds;
      await daemon.start();
      try {
        await checkLedger(ledger);
        await checkHost();
        expect(await operator.pid('c1')).toBe(pid);
      } catch (error) {
        throw new Error(`after ${life} ms of cycle ${cycle}`, { cause: error });
      }
      for (const name of Object.keys(await operator.statuses())) if (!KEPT.includes(name)) await drop(name);
      for (const name of ledger.instances.keys()) ledger.instances.set(name, 'gone');
    }
    expect(done).toBeGreaterThan(CYCLES);
  });

  it('leaves neither files nor a lock of a start that was cut off', async () => {
    for (const life of cycles([30, 100], [5, 30, 60, 100, 150])) {
      await operator.create('c2');
      await begin(operator, 'PUT', '/1.0/instances/c2/state', { action: 'start' });
      await wait(life);
      await daemon.kill();
      await daemon.start();
      await checkHost();
      await expect(operator.state('c2', 'stop', { force: true }).catch(() => {})).resolves.toBeUndefined();
      await drop('c2');
    }
    expect(entries('instances')).toHaveLength(KEPT.length);
  });

  it('leaves nothing of an instance whose deletion was cut off', async () => {
    for (const life of cycles([3], [0, 3, 6, 12])) {
      await operator.create('c2');
      await begin(operator, 'DELETE', '/1.0/instances/c2', undefined);
      await wait(life);
      await daemon.kill();
      await daemon.start();
      const there = 'c2' in (await operator.statuses());
      const length = KEPT.length + (there ? 1 : 0);
      await until('leftover instances are gone', () => entries('instances').length === length);
      if (there) await drop('c2');
    }
  });
});

it('a start that hangs dies with the daemon, and starts nothing later', async () => {
  const folder = join(files, 'hanging');
  const note = join(folder, 'pid');
  mkdirSync(folder);
  writeFileSync(
    join(folder, 'lxc-start'),
    `#!/bin/sh\necho $$ > ${note}.new; mv ${note}.new ${note}; exec sleep 3600\n`,
    {
      mode: 0o755,
    },
  );
  const { PATH } = process.env;
  await daemon.stop();
  process.env['PATH'] = `${folder}:${PATH}`;
  try {
    await daemon.start();
    await operator.create('c2');
    void operator.state('c2', 'start').catch(() => {});
    await until('it hangs', () => existsSync(note));
    const pid = readFileSync(note, 'utf8').trim();
    await daemon.kill();
    await until('it is dead', () => commandOf(pid) === '');
  } finally {
    process.env['PATH'] = PATH;
    rmSync(folder, { recursive: true });
  }
  await daemon.start();
  expect((await operator.statuses())['c2']).toBe('Stopped');
  await drop('c2');
});

/** The command line of a process; empty if it has ended, also if nothing has asked for its exit code yet. */
function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/**
 * Has the daemon killed by a program that it runs: all steps before are done then, and none after.
 * @param when the part of the program's arguments at which it kills the daemon
 */
async function killedBy(program: string, when: string, work: () => Promise<unknown>): Promise<void> {
  const folder = join(files, 'deadly');
  mkdirSync(folder);
  const { PATH } = process.env;
  const script = `#!/bin/sh\ncase "$* " in *"${when} "*) kill -9 $PPID; exit 1;; esac\nPATH=${PATH}; exec ${program} "$@"\n`;
  writeFileSync(join(folder, program), script, { mode: 0o755 });
  await daemon.stop();
  process.env['PATH'] = `${folder}:${PATH}`;
  try {
    await daemon.start();
    const { pid } = daemon;
    await work().catch(() => {});
    await until('the daemon is dead', () => !existsSync(`/proc/${pid}`));
  } finally {
    process.env['PATH'] = PATH;
    rmSync(folder, { recursive: true });
  }
}

describe('a device that is being added when the daemon is killed', () => {
  const NIC = { type: 'nic', nictype: 'p2p', host_name: 'veth-porthole-t' };
  const DISK = () => ({ type: 'disk', source: files, path: '/data/below' });
  const NODE = { type: 'unix-char', path: '/dev/porthole-t', major: '1', minor: '3' };
  const LOOK =
    'ls -d /data/below /dev/porthole-t /sys/class/net/eth7 2>/dev/null; grep -c below /proc/mounts';

  it.each([
    ['before the interface is made', 'link add'],
    ['before the interface is moved', ' netns'],
  ])('is removed by the next daemon, %s', async (_, when) => {
    // Devices are added in the order of their names: the nic comes last.
    const devices = { a: DISK(), b: NODE, c: { ...NIC, name: 'eth7' } };
    await killedBy('ip', when, () => operator.patch('c1', { devices }));
    await daemon.start();
    expect((await operator.get('c1')).devices).not.toHaveProperty('a');
    expect((await operator.exec('c1', ['sh', '-c', LOOK])).stdout).toBe('0\n');
    expect(existsSync('/sys/class/net/veth-porthole-t')).toBe(false);
    await operator.patch('c1', { devices });
    expect((await operator.exec('c1', ['sh', '-c', LOOK])).stdout).toBe(
      '/data/below\n/dev/porthole-t\n/sys/class/net/eth7\n1\n',
    );
    await operator.patch('c1', { devices: { a: null, b: null, c: null } });
    expect((await operator.exec('c1', ['sh', '-c', LOOK])).stdout).toBe('0\n');
  });

  it('does not affect a mount of the instance at the same path', async () => {
    await operator.sh('c1', 'mkdir /own && mount -t tmpfs own /own && echo mine > /own/f');
    const disk = { type: 'disk', source: files, path: '/own' };
    await killedBy('ip', 'link add', () => operator.patch('c1', { devices: { a: NIC, b: disk } }));
    await daemon.start();
    expect(await operator.sh('c1', 'cat /own/f')).toBe('mine');
    await operator.sh('c1', 'umount /own && rmdir /own');
  });

  it('does not affect an interface of the host with the same name', async () => {
    const { host_name: name } = NIC;
    expect(await run('ip', ['link', 'add', name, 'type', 'bridge'])).toMatchObject({ ok: true });
    try {
      await killedBy('ip', 'link add', () => operator.patch('c1', { devices: { a: NIC } }));
      await daemon.start();
      expect(existsSync(`/sys/class/net/${name}`)).toBe(true);
    } finally {
      await run('ip', ['link', 'delete', name]);
    }
  });
});

describe('a reboot during which the daemon is killed', () => {
  it.each(['false', ''])('is not lost, with boot.autostart=%s', async (autostart) => {
    const config = autostart === '' ? {} : { 'boot.autostart': autostart };
    await operator.launch('c2', { config });
    const pid = await operator.pid('c2');
    await killedBy('lxc-start', ' -d', () => operator.exec('c2', ['reboot']));
    const watching = daemon.logged('instance started automatically');
    await daemon.start();
    await watching;
    expect(await operator.pid('c2')).not.toBe(pid);
    expect(await operator.statuses()).toEqual({ c1: 'Running', c2: 'Running', d1: 'Running' });
    await drop('c2');
  });
});

describe('a restart during which the daemon is killed', () => {
  it(`ends with the instance running, ${CYCLES} times`, async () => {
    await operator.launch('c2');
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      const force = cycle % 2 === 0;
      await begin(operator, 'PUT', '/1.0/instances/c2/state', { action: 'restart', timeout: -1, force });
      await wait(Math.random() * LONGEST_RESTART_MS);
      await daemon.kill();
      await daemon.start();
      await until('it runs, and no restart is left to be done', async () => {
        const { status, config } = await operator.get('c2');
        return status === 'Running' && config['volatile.last_state.power'] === 'RUNNING';
      });
    }
    await drop('c2');
  });

  it('is finished by the next daemon when the instance has not ended yet', async () => {
    await operator.launch('c2', { config: { 'raw.lxc': 'lxc.init.cmd = /bin/sleep 100000' } });
    const pid = await operator.pid('c2');
    await begin(operator, 'PUT', '/1.0/instances/c2/state', { action: 'restart', timeout: -1, force: false });
    const power = async () => (await operator.get('c2')).config['volatile.last_state.power'];
    await until('it is about to end', async () => (await power()) === 'RESTARTING');
    await daemon.kill();
    const watching = daemon.logged('a restart that was cut off goes on');
    await daemon.start();
    await watching;
    process.kill(pid, 'SIGKILL');
    await until('it runs again', async () => (await power()) === 'RUNNING');
    expect(await operator.pid('c2')).not.toBe(pid);
    await drop('c2');
  });
});

describe('while no daemon runs', () => {
  beforeEach(async () => {
    await operator.launch('c2');
  });

  /** Waits until this init has ended and LXC has no process left for its instance. */
  async function gone(pid: number): Promise<void> {
    await until('the instance is gone', async () => {
      return !existsSync(`/proc/${pid}`) && (await monitors()) === KEPT.length;
    });
  }

  async function attach(command: string): Promise<void> {
    const id = entries('instances').findLast((name) => Number(name) > KEPT.length) ?? '';
    await run('lxc-attach', ['-n', id, '-P', at('instances'), '--', command]);
  }

  it('an instance that powers itself off is stopped at the next start, and stays stopped', async () => {
    const pid = await operator.pid('c2');
    await daemon.kill();
    await attach('poweroff');
    await gone(pid);
    await daemon.start();
    expect((await operator.get('c2')).config['volatile.last_state.power']).toBe('STOPPED');
    await daemon.restart();
    expect(await operator.statuses()).toEqual({ c1: 'Running', c2: 'Stopped', d1: 'Running' });
    await drop('c2');
  });

  it('an instance that reboots itself runs again after the next start', async () => {
    const pid = await operator.pid('c2');
    await daemon.kill();
    await attach('reboot');
    await gone(pid);
    const watching = daemon.logged('instance started automatically');
    await daemon.start();
    await watching;
    expect(await operator.pid('c2')).not.toBe(pid);
    expect(await operator.sh('c2', 'devlxd /1.0')).toContain('"api_version":"1.0"');
    await drop('c2');
  });

  it('an ephemeral instance that ends is deleted with its files', async () => {
    await operator.patch('c2', { ephemeral: true });
    const pid = await operator.pid('c2');
    await daemon.kill();
    await attach('poweroff');
    await gone(pid);
    await daemon.start();
    expect(await operator.statuses()).toEqual({ c1: 'Running', d1: 'Running' });
    expect(entries('instances')).toHaveLength(KEPT.length);
  });
});
