import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test as it } from 'vitest';
import { run } from '../src/process/run.ts';
import type { OperationJson } from '../src/wire/operation.ts';
import { mountsBelow, TestDaemon } from './harness/daemon.ts';
import { begin, Operator, type Watch } from './harness/operator.ts';

let daemon: TestDaemon;
let operator: Operator;
let watch: Watch;
const stateDirs: string[] = [];

beforeAll(async () => {
  daemon = await TestDaemon.start();
  stateDirs.push(daemon.stateDir);
  operator = new Operator(daemon);
  await daemon.must('image', 'build', 'busybox', '--public');
  await operator.launch('c1');
  watch = await operator.watch();
});

afterAll(async () => {
  watch?.close();
  await daemon?.destroy();
  for (const stateDir of stateDirs) {
    expect(mountsBelow(stateDir)).toEqual([]);
    expect(existsSync(stateDir)).toBe(false);
  }
});

beforeEach(() => watch.clear());

const message = (text: string) => expect.objectContaining({ message: expect.stringMatching(text) });

/** An init that ignores requests to shut down. */
const STUBBORN = { config: { 'raw.lxc': 'lxc.init.cmd = /bin/sleep 100000' } };

async function drop(name: string): Promise<void> {
  if ((await operator.statuses())[name] === undefined) return;
  if ((await operator.statuses())[name] !== 'Stopped') await operator.state(name, 'stop', { force: true });
  await operator.delete(name);
}

describe('start, stop, restart', () => {
  afterEach(() => drop('c2'));

  it('each step changes the status and causes an event', async () => {
    await operator.create('c2');
    await watch.next('instance-created c2');
    expect(await operator.statuses()).toMatchObject({ c1: 'Running', c2: 'Stopped' });
    await operator.state('c2', 'start');
    await watch.next('instance-started c2');
    const first = await operator.pid('c2');
    expect(readFileSync(`/proc/${first}/cmdline`, 'utf8')).toContain('init');
    await operator.state('c2', 'restart');
    await watch.next('instance-restarted c2');
    expect(await operator.pid('c2')).not.toBe(first);
    await operator.state('c2', 'stop');
    await watch.next('instance-shutdown c2');
    expect(await operator.pid('c2')).toBe(0);
    await operator.state('c2', 'start');
    await operator.state('c2', 'stop', { force: true });
    await watch.next('instance-stopped c2');
    await operator.delete('c2');
    await watch.next('instance-deleted c2');
    expect(await operator.statuses()).toEqual({ c1: 'Running' });
  });

  it('a stop also reaches an init that has only just been started', async () => {
    await operator.create('c2');
    for (let times = 0; times < 10; times++) {
      await operator.state('c2', 'start');
      await operator.state('c2', 'stop', { timeout: 20 });
    }
  });

  it('an instance that ignores a stop runs on after the timeout', async () => {
    await operator.launch('c2', STUBBORN);
    const pid = await operator.pid('c2');
    await expect(operator.state('c2', 'stop', { timeout: 1 })).rejects.toEqual(
      message('^Failed shutting down instance, status is "Running"'),
    );
    expect(await operator.pid('c2')).toBe(pid);
  });

  it('a stop sends the signal that raw.lxc names for it', async () => {
    await operator.launch('c2');
    const init = 'trap "echo asked > /asked; exit" TERM; while :; do sleep 0.1; done';
    await operator.sh('c2', `printf '#!/bin/sh\\n%s\\n' '${init}' > /init; chmod +x /init`);
    await operator.state('c2', 'stop', { force: true });
    await operator.patch('c2', { config: { 'raw.lxc': 'lxc.init.cmd = /init\nlxc.signal.halt = SIGTERM' } });
    await operator.state('c2', 'start');
    await operator.state('c2', 'stop', { timeout: 20 });
    expect(await daemon.must('file', 'pull', 'c2/asked', '-')).toBe('asked\n');
  });

  it('a stop with force ends such an instance at once, whatever the timeout', async () => {
    await operator.launch('c2', STUBBORN);
    const started = performance.now();
    await operator.state('c2', 'stop', { timeout: 30, force: true });
    expect(performance.now() - started).toBeLessThan(10_000);
    await watch.next('instance-stopped c2');
    expect((await operator.statuses())['c2']).toBe('Stopped');
    await operator.state('c2', 'start');
    await operator.state('c2', 'restart', { timeout: 30, force: true });
    await watch.next('instance-restarted c2');
  });

  it('a forced stop also ends a stop that waits for ever', async () => {
    await operator.launch('c2', STUBBORN);
    const waiting = await begin(operator, 'PUT', '/1.0/instances/c2/state', { action: 'stop', timeout: -1 });
    await expect(operator.state('c2', 'stop')).rejects.toEqual(message('Instance is busy running a "stop"'));
    await operator.state('c2', 'stop', { force: true });
    expect(await operator.client.wait(waiting!)).toMatchObject({ status_code: 200 });
    expect((await operator.statuses())['c2']).toBe('Stopped');
  });

  it('a timeout that is too long for a timer is not cut short', async () => {
    await operator.launch('c2', STUBBORN);
    const change = { action: 'stop', timeout: 3_000_000 };
    const stopping = await begin(operator, 'PUT', '/1.0/instances/c2/state', change);
    const waited = operator.client.get<OperationJson>(`/1.0/operations/${stopping?.id}/wait?timeout=3000000`);
    // Both still wait after this command; a timer that overflows would be over at once.
    await operator.exec('c1', ['true']);
    await operator.state('c2', 'stop', { force: true });
    expect(await waited).toMatchObject({ status: 'Success' });
  });

  it('an instance with its own raw.lxc lines reboots from inside and stops by force', async () => {
    const lines = [
      'lxc.cap.drop =',
      'lxc.hook.stop = /bin/true',
      'lxc.mount.auto = sys:rw',
      'lxc.environment = A=b',
    ];
    await operator.launch('c2', { config: { 'raw.lxc': lines.join('\n') } });
    const first = await operator.pid('c2');
    expect(await operator.sh('c2', "tr '\\0' '\\n' </proc/1/environ | grep ^A=")).toBe('A=b');
    await operator.exec('c2', ['reboot']);
    await watch.next('instance-restarted c2');
    expect(await operator.pid('c2')).not.toBe(first);
    await operator.state('c2', 'stop', { force: true });
    expect(await operator.pid('c2')).toBe(0);
    await expect(operator.patch('c2', { config: { 'raw.lxc': `${lines[0]}\nlxc.hook =` } })).rejects.toEqual(
      message('Setting lxc.hook through raw.lxc is not allowed: line 2'),
    );
  });

  it('a stop that waits delays no other change of its instance or of others with its profile', async () => {
    await operator.launch('c2', STUBBORN);
    const waiting = await begin(operator, 'PUT', '/1.0/instances/c2/state', { action: 'stop', timeout: -1 });
    const profile = (value: string | null) =>
      operator.client.change('PATCH', '/1.0/profiles/default', {
        json: { config: { 'user.x': value ?? '' } },
      });
    await profile('1');
    await operator.patch('c2', { config: { 'user.y': '2' } });
    expect(await operator.sh('c1', 'devlxd /1.0/config/user.x')).toBe('1');
    expect(await operator.sh('c2', 'devlxd /1.0/config/user.y')).toBe('2');
    await expect(operator.state('c2', 'start')).rejects.toEqual(message('Instance is busy running a "stop"'));
    await operator.state('c2', 'stop', { force: true });
    expect(await operator.client.wait(waiting!)).toMatchObject({ status_code: 200 });
    await profile(null);
  });

  it('an action that the status does not allow is refused', async () => {
    await operator.create('c2');
    const refused = (work: Promise<unknown>, text: string) => expect(work).rejects.toEqual(message(text));
    await refused(operator.state('c1', 'start'), '^The instance is already running$');
    await refused(operator.state('c2', 'stop'), '^The instance is already stopped$');
    await refused(operator.state('c2', 'restart'), '^The instance is already stopped$');
    await refused(operator.delete('c1'), '^Instance is running$');
    await refused(operator.state('c1', 'dance'), "^Unknown action: 'dance'$");
    await refused(operator.state('nobody', 'start'), '^Instance not found$');
    await refused(operator.exec('c2', ['true']).then(), '^Instance is not running$');
    await refused(operator.create('c2'), 'already exists');
    const rename = operator.client.change('POST', '/1.0/instances/c1', { json: { name: 'other' } });
    await refused(rename, '^Renaming of running container not allowed$');
    await operator.patch('c2', { config: { 'security.protection.delete': 'true' } });
    await refused(operator.delete('c2'), '^Container is protected$');
    await operator.patch('c2', { config: { 'security.protection.delete': null } });
  });

  it('a stopped instance can be renamed, and has the new name inside', async () => {
    await operator.create('before');
    await operator.client.change('POST', '/1.0/instances/before', { json: { name: 'c2' } });
    await watch.next('instance-renamed c2');
    await operator.state('c2', 'start');
    expect(await operator.sh('c2', 'hostname')).toBe('c2');
    expect(await operator.sh('c2', 'devlxd /1.0/meta-data')).toContain('local-hostname: c2');
    expect(Object.keys(await operator.statuses())).toEqual(['c1', 'c2']);
  });

  it('an instance keeps its files while it is stopped, and no other one has them', async () => {
    await operator.launch('c2');
    await operator.sh('c2', 'echo mine > /root/f');
    await operator.state('c2', 'restart', { force: true });
    expect(await operator.sh('c2', 'cat /root/f')).toBe('mine');
    expect((await operator.exec('c1', ['cat', '/root/f'])).code).toBe(1);
  });
});

/** Has an instance reboot now, and again as soon as it runs. */
async function rebootForEver(name: string): Promise<void> {
  // The daemon knows that the instance runs once it has answered it.
  const script = '#!/bin/sh\\ndevlxd /1.0\\nreboot\\n';
  await operator.sh(name, `printf '${script}' > /etc/rc.local; chmod +x /etc/rc.local`);
  await operator.exec(name, ['reboot']);
}

const waits = () => daemon.logged('instance reboots again and again, its start waits');

describe('an end that cannot be stored', () => {
  afterEach(() => drop('c2'));

  /** Does work while nothing can be stored, as on a full disk. */
  async function withoutStore(work: () => Promise<unknown>): Promise<void> {
    await limitFiles('0:unlimited');
    try {
      await work();
    } finally {
      await limitFiles('unlimited:unlimited');
    }
  }

  /** Limits the size of files that the daemon writes; prlimit(1). */
  async function limitFiles(limits: string): Promise<void> {
    const { failure } = await run('prlimit', ['--pid', String(daemon.pid), `--fsize=${limits}`]);
    expect(failure).toBe('');
  }

  async function endsUnstored(): Promise<void> {
    const pid = await operator.pid('c2');
    await withoutStore(async () => {
      const failed = daemon.logged('could not settle the end of an instance');
      process.kill(pid, 'SIGKILL');
      await failed;
    });
  }

  it('is stored as soon as that is possible', async () => {
    await operator.launch('c2');
    await endsUnstored();
    await watch.next('instance-shutdown c2');
    expect((await operator.get('c2')).config['volatile.last_state.power']).toBe('STOPPED');
  });

  it('still deletes an ephemeral instance, as soon as that is possible', async () => {
    await operator.launch('c2', { ephemeral: true });
    await endsUnstored();
    await watch.next('instance-deleted c2');
    expect(await operator.statuses()).toEqual({ c1: 'Running' });
  });

  it('fails the stop that has caused it, and is stored later', async () => {
    await operator.launch('c2');
    await withoutStore(() =>
      expect(operator.state('c2', 'stop', { force: true })).rejects.toEqual(message('')),
    );
    await watch.next('instance-stopped c2');
    expect((await operator.get('c2')).config['volatile.last_state.power']).toBe('STOPPED');
  });

  it('is forgotten when the instance is started in between', async () => {
    await operator.launch('c2');
    await endsUnstored();
    await operator.state('c2', 'start');
    await operator.state('c2', 'stop', { force: true });
    expect(watch.seen).toContain('instance-stopped c2');
    expect((await operator.get('c2')).config['volatile.last_state.power']).toBe('STOPPED');
  });
});

describe('an instance that ends by itself', () => {
  afterEach(() => drop('c2'));

  it('is noticed when its init is killed', async () => {
    await operator.launch('c2');
    process.kill(await operator.pid('c2'), 'SIGKILL');
    await watch.next('instance-shutdown c2');
    expect((await operator.statuses())['c2']).toBe('Stopped');
    expect((await operator.get('c2')).config['volatile.last_state.power']).toBe('STOPPED');
    await operator.state('c2', 'start');
    expect(await operator.sh('c2', 'devlxd /1.0')).toContain('"api_version":"1.0"');
  });

  it('is noticed when it powers itself off', async () => {
    await operator.launch('c2');
    await operator.exec('c2', ['poweroff']);
    await watch.next('instance-shutdown c2');
    expect((await operator.statuses())['c2']).toBe('Stopped');
  });

  it('starts again when it reboots itself', async () => {
    await operator.launch('c2');
    const before = await operator.pid('c2');
    await operator.exec('c2', ['reboot']);
    await watch.next('instance-restarted c2');
    expect(await operator.pid('c2')).not.toBe(before);
    expect(await operator.sh('c2', 'devlxd /1.0')).toContain('"api_version":"1.0"');
  });

  it('waits longer before each start when it keeps rebooting, and stays stopped after a stop', async () => {
    await operator.launch('c2');
    let waiting = waits();
    await rebootForEver('c2');
    for (const waitMs of [1000, 2000, 4000]) {
      expect(await waiting).toMatchObject({ instance: 'c2', waitMs });
      waiting = waits();
    }
    expect((await operator.statuses())['c2']).toBe('Starting');
    await operator.state('c2', 'stop', { force: true });
    await watch.next('instance-stopped c2');
    const { status, config } = await operator.get('c2');
    expect([status, config['volatile.last_state.power']]).toEqual(['Stopped', 'STOPPED']);
    await expect(operator.state('c2', 'stop')).rejects.toThrow('already stopped');
  });

  it('is stopped when it waits to start again and a start by an operator fails', async () => {
    const source = mkdtempSync('/var/tmp/porthole-gone-');
    await operator.launch('c2', { devices: { d: { type: 'disk', source, path: '/d' } } });
    const waiting = waits();
    await rebootForEver('c2');
    await waiting;
    rmSync(source, { recursive: true });
    await expect(operator.state('c2', 'start')).rejects.toThrow('Missing source path');
    const { status, config } = await operator.get('c2');
    expect([status, config['volatile.last_state.power']]).toEqual(['Stopped', 'STOPPED']);
  });

  it('is deleted if it is ephemeral, however it ends', async () => {
    const ends = [
      () => operator.state('c2', 'stop'),
      () => operator.state('c2', 'stop', { force: true }),
      () => operator.exec('c2', ['poweroff']),
    ];
    for (const end of ends) {
      await operator.launch('c2', { ephemeral: true });
      await end();
      await watch.next('instance-deleted c2');
      expect(await operator.statuses()).toEqual({ c1: 'Running' });
    }
    await operator.launch('c2', { ephemeral: true });
    await operator.state('c2', 'restart', { force: true });
    expect((await operator.statuses())['c2']).toBe('Running');
    await operator.state('c2', 'stop');
    expect(readdirSync(join(daemon.stateDir, 'instances'))).toHaveLength(1);
  });
});

describe('exec', () => {
  it('returns output, errors and exit code separately', async () => {
    const ran = await operator.exec('c1', ['sh', '-c', 'echo out; echo err >&2; exit 3']);
    expect(ran).toEqual({ code: 3, err: '', stdout: 'out\n', stderr: 'err\n' });
    expect((await operator.exec('c1', ['sh', '-c', 'kill -9 $$'])).code).toBe(137);
  });

  it('distinguishes a missing command from one that ends with 127', async () => {
    const missing = { code: 127, err: 'Command not found', stdout: '', stderr: '' };
    expect(await operator.exec('c1', ['no-such-command'])).toEqual(missing);
    expect(await operator.exec('c1', ['no-such-command'], { cwd: '/tmp' })).toEqual(missing);
    expect(await operator.exec('c1', ['no-such-command'], { user: 1000, group: 1000 })).toEqual(missing);
    expect(await operator.exec('c1', ['sh', '-c', 'exit 127'])).toMatchObject({ code: 127, err: '' });
  });

  it('distinguishes a command that cannot be executed from one that ends with 126', async () => {
    const denied = { code: 126, err: 'Command not executable', stdout: '', stderr: '' };
    expect(await operator.exec('c1', ['/etc'])).toEqual(denied);
    expect(await operator.exec('c1', ['sh', '-c', 'exit 126'])).toMatchObject({ code: 126, err: '' });
  });

  it('passes on the given environment, and nothing of the host', async () => {
    const { stdout } = await operator.exec('c1', ['env'], { environment: { A: 'b c', PATH: '/bin' } });
    const names = stdout.split('\n').map((line) => line.split('=')[0]);
    expect(stdout).toContain('A=b c\n');
    expect(stdout).toContain('PATH=/bin\n');
    expect(stdout).toContain('HOME=/root\n');
    expect(names).not.toContain('PORTHOLE_LOG_LEVEL');
  });

  it('runs as the requested user and group', async () => {
    const ran = await operator.exec('c1', ['sh', '-c', 'id -u; id -g; pwd'], { user: 1000, group: 1001 });
    expect(ran.stdout).toBe('1000\n1001\n/\n');
  });

  it('runs in the requested folder, else in HOME, else in /', async () => {
    await operator.sh('c1', 'mkdir -p /only/here');
    const pwd = async (cwd: string, environment: Record<string, string> = {}) =>
      (await operator.exec('c1', ['pwd'], { cwd, environment })).stdout.trim();
    expect(await pwd('')).toBe('/root');
    expect(await pwd('', { HOME: '/only' })).toBe('/only');
    expect(await pwd('/tmp', { HOME: '/only' })).toBe('/tmp');
    expect(await pwd('/only/here')).toBe('/only/here');
    expect(await pwd('/usr/share/doc')).toBe('/');
    expect(await pwd('/nowhere')).toBe('/');
  });

  it('passes on standard input byte for byte, to its end', async () => {
    const ran = await operator.exec('c1', ['wc', '-c'], { stdin: 'x'.repeat(300_000) });
    expect(ran.stdout.trim()).toBe('300000');
    const binary = await operator.exec('c1', ['sh', '-c', 'od -An -tx1'], { stdin: 'a\r\n\u0000' });
    expect(binary.stdout.trim()).toBe('61 0d 0a 00');
  });

  it('gives pipes as standard streams: bash takes a socket for a network connection', async () => {
    const script = 'for fd in 0 1 2; do [ -p /proc/self/fd/$fd ] && echo $fd; done';
    expect((await operator.exec('c1', ['sh', '-c', script])).stdout).toBe('0\n1\n2\n');
  });

  it('gives a terminal with the usual line ends', async () => {
    const script = 'tty >/dev/null && echo yes; stty size; stty -opost; printf "a\\nb\\n"';
    const ran = await operator.exec('c1', ['sh', '-c', script], {
      interactive: true,
      width: 100,
      height: 30,
    });
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.stdout).toBe('yes\r\n30 100\r\na\nb\n');
  });
});

describe('limits and privilege', () => {
  afterEach(() => drop('c2'));

  /** A limit of c2, as its cgroup has it: in a hierarchy of its own, or in the unified one. */
  async function limitOf(controller: string, old: string, unified: string): Promise<string> {
    const cgroups = readFileSync(`/proc/${await operator.pid('c2')}/cgroup`, 'utf8');
    const at = cgroups.match(new RegExp(`^\\d+:[^:]*\\b${controller}\\b[^:]*:(.*)$`, 'm'))?.[1];
    if (at !== undefined) return readFileSync(`/sys/fs/cgroup/${controller}${at}/${old}`, 'utf8').trim();
    const whole = cgroups.match(/^0::(.*)$/m)?.[1];
    return readFileSync(`/sys/fs/cgroup${whole}/${unified}`, 'utf8').trim();
  }
  const memory = () => limitOf('memory', 'memory.limit_in_bytes', 'memory.max');
  const processes = () => limitOf('pids', 'pids.max', 'pids.max');
  const processors = () => limitOf('cpuset', 'cpuset.cpus', 'cpuset.cpus');
  const MIB = 1024 * 1024;

  it('applies limits.memory and limits.processes', async () => {
    await operator.launch('c2', { config: { 'limits.memory': '64MiB', 'limits.processes': '20' } });
    expect([await memory(), await processes()]).toEqual([String(64 * MIB), '20']);
    const forks = 'i=0; while [ $i -lt 40 ]; do sleep 5 & i=$((i+1)); done';
    expect((await operator.exec('c2', ['sh', '-c', forks])).stderr).toMatch(/fork/);
  });

  it('gives an instance the usual weight on a busy processor, unless the operator says otherwise', async () => {
    const weight = () => limitOf('cpu', 'cpu.shares', 'cpu.weight');
    await operator.launch('c2');
    const given = await weight();
    expect(['1024', '100']).toContain(given);
    await operator.state('c2', 'stop', { force: true });
    const line = given === '1024' ? 'lxc.cgroup.cpu.shares = 50' : 'lxc.cgroup2.cpu.weight = 50';
    await operator.patch('c2', { config: { 'raw.lxc': line } });
    await operator.state('c2', 'start');
    expect(await weight()).toBe('50');
  });

  it('sets kernel parameters of its own namespaces, and lets it do so, but not those of the host', async () => {
    const config = { 'linux.sysctl.kernel.shmmax': '1000', 'linux.sysctl.net.ipv4.ip_forward': '1' };
    await operator.launch('c2', { config });
    const both = 'cat /proc/sys/kernel/shmmax /proc/sys/net/ipv4/ip_forward';
    expect(await operator.sh('c2', both)).toBe('1000\n1');
    expect(await operator.sh('c2', `echo 2000 >/proc/sys/kernel/shmmax; ${both}`)).toBe('2000\n1');
    for (const name of ['kernel/core_pattern', 'kernel/printk', 'vm/drop_caches', 'fs/file-max']) {
      const { code, stderr } = await operator.exec('c2', ['sh', '-c', `: >/proc/sys/${name}`]);
      expect([code, stderr]).toEqual([1, expect.stringContaining('Permission denied')]);
    }
  });

  it('applies changes of limits while the instance runs, from profiles too', async () => {
    await operator.launch('c2');
    const [free, all] = [await memory(), await processors()];
    await operator.patch('c2', { config: { 'limits.memory': '64MiB', 'limits.cpu': '1' } });
    expect(await memory()).toBe(String(64 * MIB));
    expect(await processors()).toMatch(/^\d+$/);
    await operator.patch('c2', {
      config: { 'limits.memory': '10%', 'limits.cpu': '0-0', 'limits.processes': '50' },
    });
    expect(Number(await memory())).toBeGreaterThan(64 * MIB);
    expect(await processes()).toBe('50');
    await daemon.must('config', 'unset', 'c2', 'limits.memory');
    await daemon.must('config', 'unset', 'c2', 'limits.cpu');
    await daemon.must('config', 'unset', 'c2', 'limits.processes');
    expect([await memory(), await processors(), await processes()]).toEqual([free, all, 'max']);
    await daemon.must('profile', 'set', 'default', 'limits.memory=128MiB');
    expect(await memory()).toBe(String(128 * MIB));
    await daemon.must('profile', 'unset', 'default', 'limits.memory');
    expect(await memory()).toBe(free);
  });

  it('refuses a limit that the kernel does not take, and keeps the one before', async () => {
    await operator.launch('c2', { config: { 'limits.cpu': '0-0' } });
    await expect(operator.patch('c2', { config: { 'limits.cpu': '4000-4001' } })).rejects.toThrow(
      'Failed to apply limits.cpu: the host does not have these processors (Numerical result out of range)',
    );
    expect(await processors()).toBe('0');
    expect((await operator.get('c2')).config['limits.cpu']).toBe('0-0');
  });

  it('maps the ids of an instance unless it is privileged', async () => {
    const mapped = await operator.sh('c1', 'cat /proc/self/uid_map');
    expect(mapped.split(/\s+/).slice(0, 2)).toEqual(['0', expect.not.stringMatching(/^0$/)]);
    await operator.launch('c2', { config: { 'security.privileged': 'true' } });
    expect((await operator.sh('c2', 'cat /proc/self/uid_map')).split(/\s+/)).toEqual([
      '0',
      '0',
      '4294967295',
    ]);
    expect(await operator.sh('c2', 'devlxd /1.0')).toContain('"api_version":"1.0"');
    await operator.sh('c2', 'echo mine > /root/f');
    await operator.state('c2', 'stop');
    await operator.patch('c2', { config: { 'security.privileged': 'false' } });
    await operator.state('c2', 'start');
    expect(await operator.sh('c2', 'cat /root/f; stat -c %u /root/f')).toBe('mine\n0');
  });

  it('lets an instance with security.nesting mount its own proc', async () => {
    await operator.launch('c2', { config: { 'security.nesting': 'true' } });
    expect(await operator.sh('c2', 'devlxd /1.0')).toContain('"api_version":"1.0"');
    await operator.sh('c2', 'unshare -m -p -f mount -t proc proc /mnt');
  });
});

describe('the daemon', () => {
  it('stops on SIGTERM and SIGINT, answers a request in flight, leaves instances running', async () => {
    const pid = await operator.pid('c1');
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const operation = await begin(operator, 'POST', '/1.0/instances/c1/exec', {
        command: ['sleep', '1'],
        'wait-for-websocket': false,
      });
      const inFlight = operator.client.wait(operation!);
      await operator.client.get('/1.0');
      expect(await daemon.stop(signal)).toBe(0);
      expect(await inFlight).toMatchObject({ status_code: 200, metadata: { return: 0 } });
      expect(existsSync(`/proc/${pid}`)).toBe(true);
      await daemon.start();
      expect(await operator.pid('c1')).toBe(pid);
      expect(await operator.sh('c1', 'devlxd /1.0')).toContain('"api_version":"1.0"');
    }
  });

  it('refuses a state directory that another daemon uses', async () => {
    const bin = fileURLToPath(new URL('../../../bin/portholed', import.meta.url));
    const second = await run(bin, ['--state-dir', daemon.stateDir]);
    expect(second.ok).toBe(false);
    expect(second.failure).toContain(`Another Porthole daemon (pid ${daemon.pid}) has this state directory`);
    expect((await operator.statuses())['c1']).toBe('Running');
  });

  it('ends at once at a second signal', async () => {
    await operator.launch('c2', STUBBORN);
    await begin(operator, 'PUT', '/1.0/instances/c2/state', { action: 'stop', timeout: -1 });
    process.kill(daemon.pid, 'SIGTERM');
    await operator.client.get('/1.0').catch(() => {});
    await daemon.stop('SIGINT');
    await daemon.start();
    expect((await operator.statuses())['c2']).toBe('Running');
    await drop('c2');
  });

  it('starts the instances that boot.autostart says, and those that ran when the host went down', async () => {
    const autostart = (value?: string) => (value === undefined ? {} : { 'boot.autostart': value });
    await operator.create('always', { config: autostart('true') });
    await operator.launch('never', { config: autostart('false') });
    await operator.launch('ran');
    await operator.create('rested');
    await daemon.kill();
    await hostGoesDown(daemon);
    await daemon.start();
    watch = await operator.watch();
    for (;;) {
      const statuses = await operator.statuses();
      const missing = ['always', 'c1', 'ran'].find((name) => statuses[name] !== 'Running');
      if (!missing) break;
      await watch.next(`instance-started ${missing}`);
    }
    expect(await operator.statuses()).toMatchObject({ never: 'Stopped', rested: 'Stopped' });
    for (const name of ['always', 'never', 'ran', 'rested']) await drop(name);
  });
});

/** Ends all instances as a host that goes down does: nothing records how they ended. */
async function hostGoesDown({ stateDir }: TestDaemon): Promise<void> {
  const instances = join(stateDir, 'instances');
  for (const id of readdirSync(instances)) {
    const stopped = spawn('lxc-stop', ['-k', '-n', id, '-P', instances], { stdio: 'ignore' });
    await once(stopped, 'exit');
    await run('rm', ['-f', join(instances, id, 'ending')]);
  }
}

describe('freeze, unfreeze', () => {
  afterEach(() => drop('c2'));

  const frozen = () => operator.state('c2', 'freeze');
  const status = async () => (await operator.get('c2')).status;

  it('stops all processes, and lets them continue', async () => {
    await operator.launch('c2');
    await frozen();
    await watch.next('instance-paused c2');
    expect(await status()).toBe('Frozen');
    await expect(operator.exec('c2', ['true'])).rejects.toEqual(message('^Instance is frozen$'));
    await expect(frozen()).rejects.toEqual(message('^The instance is already frozen$'));
    await operator.state('c2', 'unfreeze');
    await watch.next('instance-resumed c2');
    expect(await operator.sh('c2', 'echo on')).toBe('on');
    await expect(operator.state('c2', 'unfreeze')).rejects.toEqual(message('^The instance is not frozen$'));
  });

  it('are known to the next daemon', async () => {
    await operator.launch('c2');
    await frozen();
    watch.close();
    await daemon.restart();
    watch = await operator.watch();
    expect(await status()).toBe('Frozen');
    await operator.state('c2', 'unfreeze');
    expect(await operator.sh('c2', 'echo on')).toBe('on');
  });

  it.each([{}, { force: true }])('do not keep an instance from stopping, %o', async (options) => {
    await operator.launch('c2');
    await frozen();
    await operator.state('c2', 'stop', options);
    expect(await status()).toBe('Stopped');
    await expect(frozen()).rejects.toEqual(message('^Instance is not running$'));
  });
});
