import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { exec } from '../src/client/exec.ts';
import { HostClient } from '../src/client/host-client.ts';
import { close, declare } from '../src/native/libc.ts';
import { run } from '../src/process/run.ts';
import { until } from './harness/api.ts';
import { CallerTools } from './harness/caller.ts';
import { BIN, TestDaemon } from './harness/daemon.ts';
import { Operator } from './harness/operator.ts';

let daemon: TestDaemon;
let operator: Operator;

const TERMINAL = {
  environment: {},
  interactive: true,
  width: 80,
  height: 24,
  user: 0,
  group: 0,
  cwd: '',
};

/** A descriptor that the daemon inherits, above those that Node itself closes for its children. */
const INHERITED = 300;
const STANDARD_ERROR = 2;

beforeAll(async () => {
  const dup2 = declare('int dup2(int from, int to)');
  dup2(STANDARD_ERROR, INHERITED);
  daemon = await TestDaemon.start();
  close(INHERITED);
  operator = new Operator(daemon);
  await daemon.must('image', 'build', 'busybox');
  await operator.launch('c1');
});
afterAll(() => daemon?.destroy());

it('gives no descriptor of the daemon to an instance, neither to its init nor to a command', async () => {
  const open = (pid: string) => operator.sh('c1', `ls /proc/${pid}/fd`);
  const descriptors = [...(await open('1')).split('\n'), ...(await open('self')).split('\n')];
  expect(descriptors).toContain('0');
  expect(descriptors).not.toContain(String(INHERITED));
});

it('does not let an instance use up the inotify instances of others', async () => {
  const program = join(import.meta.dirname, 'programs/inotify.py');
  const inside = ['nsenter', '-t', String(await operator.pid('c1')), '-U', '-S', '0', '-G', '0', '--'];
  const greedy = spawn('env', [...inside, 'python3', program, '300'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(greedy, 'exit');
  try {
    const [taken] = await once(createInterface({ input: greedy.stdout }), 'line');
    expect(taken).toBe('300');
    expect((await run('python3', [program, '10'])).stdout).toBe('10\n');
  } finally {
    greedy.stdin.end();
    await ended;
  }
});

it('goes on when its log cannot be written', async () => {
  const stateDir = mkdtempSync('/var/tmp/porthole-test-');
  const full = openSync('/dev/full', 'w');
  const child: ChildProcess = spawn(join(BIN, 'portholed'), ['--state-dir', stateDir], {
    stdio: ['ignore', 'inherit', full],
  });
  const ended = once(child, 'exit');
  try {
    const client = new HostClient(join(stateDir, 'unix.socket'));
    const answers = () => client.get('/1.0').then(Boolean, () => false);
    await until('it serves, or has ended', async () => child.exitCode !== null || (await answers()));
    expect(await answers()).toBe(true);
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  } finally {
    child.kill('SIGKILL');
    closeSync(full);
    rmSync(stateDir, { recursive: true });
  }
});

it('serves others while a terminal gets input that its program does not read', async () => {
  const stdin = new PassThrough();
  const output = new PassThrough();
  const request = { ...TERMINAL, command: ['sh', '-c', 'stty raw -echo; echo deaf; exec sleep 600'] };
  const session = await exec(operator.client, 'c1', request, { stdin, stdout: output, stderr: output });
  await once(output, 'data');
  stdin.write(Buffer.alloc(256 * 1024, 'x'));
  expect(await operator.sh('c1', 'echo still here')).toBe('still here');
  session.signal(constants.signals.SIGKILL);
  expect(await session.ended).toMatchObject({ code: 128 + constants.signals.SIGKILL });
});

it('removes all files of a command in the end, also when the daemon is killed while it runs', async () => {
  const execs = join(daemon.stateDir, 'instances', '1', 'execs');
  const json = {
    command: ['sleep', '600'],
    environment: {},
    interactive: false,
    'wait-for-websocket': false,
  };
  await operator.client.begin('POST', '/1.0/instances/c1/exec', { json });
  await until('a command runs', () => existsSync(execs) && readdirSync(execs).length === 1);
  await daemon.kill();
  await daemon.start();
  await operator.state('c1', 'restart');
  expect(existsSync(execs)).toBe(false);
  expect(await operator.sh('c1', 'echo well')).toBe('well');
  await until('it has ended', () => readdirSync(execs).length === 0);
});

it('gives a program on a terminal all of its input, also when it reads slowly', async () => {
  const stdin = new PassThrough();
  const output = new PassThrough();
  const script = 'stty raw -echo; echo ready; usleep 300000; head -c 200000 | md5sum';
  const request = { ...TERMINAL, command: ['sh', '-c', script] };
  const session = await exec(operator.client, 'c1', request, { stdin, stdout: output, stderr: output });
  output.setEncoding('utf8');
  await once(output, 'data');
  const typed = Buffer.from(Array.from({ length: 200_000 }, (_, at) => (at * 7) & 0xff));
  stdin.write(typed);
  const answered = output.toArray();
  expect((await session.ended).code).toBe(0);
  output.end();
  expect((await answered).join('')).toContain(createHash('md5').update(typed).digest('hex'));
});

it('mounts a disk once for any form of its path, and unmounts all of it', async () => {
  const source = mkdtempSync('/var/tmp/porthole-test-disk-');
  try {
    await operator.sh('c1', 'mkdir /elsewhere && ln -s /elsewhere /link');
    const paths = {
      plain: '/mnt/plain',
      blank: '/mnt/a b',
      slashed: '/mnt/slashed//',
      linked: '/link/below',
    };
    for (const [name, path] of Object.entries(paths)) {
      await operator.device('c1', name, { type: 'disk', source, path });
    }
    const mounts = async () =>
      (await operator.sh('c1', "cut -d' ' -f5 /proc/self/mountinfo | sort")).split('\n');
    const before = await mounts();
    expect(before).toEqual(
      expect.arrayContaining(['/mnt/plain', '/mnt/a\\040b', '/mnt/slashed', '/elsewhere/below']),
    );
    await daemon.restart();
    expect(await mounts()).toEqual(before);
    for (const name of Object.keys(paths)) await operator.device('c1', name, null);
    expect(await mounts()).toEqual(before.filter((path) => !/^\/(mnt|elsewhere)/.test(path)));
  } finally {
    rmSync(source, { recursive: true });
  }
});

it('stops an instance that makes a change to it wait for ever', async () => {
  await operator.launch('trap', { config: { 'security.privileged': 'true' } });
  // A file system whose server never answers.
  const mount = 'mount -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0,allow_other trap /mnt';
  const script = `mknod /fuse c 10 229; exec 3<>/fuse; ${mount}; exec sleep 600`;
  const json = { command: ['sh', '-c', script], environment: {}, interactive: false };
  await operator.client.begin('POST', '/1.0/instances/trap/exec', { json });
  const isSet = async () => (await operator.sh('trap', 'cat /proc/mounts')).includes('trap /mnt fuse');
  await until('the trap is set', isSet);
  const change = operator.device('trap', 'docs', { type: 'disk', source: '/usr', path: '/mnt/docs' });
  change.catch(() => {});
  await until('the change waits', () => isWaiting(daemon.pid));
  await operator.state('trap', 'stop', { force: true });
  await expect(change).rejects.toThrow(/docs/);
  expect((await operator.statuses())['trap']).toBe('Stopped');
  await operator.delete('trap');
});

/** Whether a child of a process waits for an answer of a FUSE server. */
function isWaiting(pid: number): boolean {
  return readdirSync(`/proc/${pid}/task`)
    .flatMap((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' '))
    .filter(Boolean)
    .some((child) => /fuse|request_wait/.test(stackOf(child)));
}

/** The kernel stack of a process; empty when it has ended. */
function stackOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/stack`, 'utf8');
  } catch {
    return '';
  }
}

it('keeps the log of a run small while a process of the host keeps connecting to its monitor', async () => {
  using tools = new CallerTools();
  const folder = join(daemon.stateDir, 'instances', '1');
  const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', '--no-new-privs'];
  const knock = [join(tools.folder, 'node'), join(tools.folder, 'programs', 'knock.mjs')];
  const knocked = await run('setpriv', [...nobody, ...knock, `${folder}/command`, '6000']);
  expect(knocked).toMatchObject({ ok: true });
  const { size } = statSync(join(folder, 'lxc.log'));
  expect(size).toBeGreaterThan(1000);
  expect(size).toBeLessThanOrEqual(1024 * 1024);
  await operator.state('c1', 'restart');
  expect(await operator.sh('c1', 'echo well')).toBe('well');
});

/** Writes a file until its disk is full. */
function fill(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (;;) writeSync(file, Buffer.alloc(4096));
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' });
  } finally {
    closeSync(file);
  }
}

it('refuses a change that a full disk cannot take, says why, and keeps the state before it', async () => {
  await using small = await TestDaemon.start();
  await small.stop();
  await run('mount', ['-t', 'tmpfs', '-o', 'size=32m,mode=711', 'tmpfs', small.stateDir]);
  await small.start();
  await small.must('image', 'build', 'busybox');
  const it = new Operator(small);
  await it.create('c1', { config: { 'user.foo': 'before' } });
  const balloon = join(small.stateDir, 'balloon');
  fill(balloon);
  for (let turn = 0; turn < 3; turn++) {
    const after = { 'user.foo': 'after', 'user.more': 'x'.repeat(1_000_000) };
    await expect(it.patch('c1', { config: after })).rejects.toThrow(
      'The disk that holds the state is full: database or disk is full',
    );
    expect((await it.get('c1')).config['user.foo']).toBe('before');
  }
  rmSync(balloon);
  await it.patch('c1', { config: { 'user.foo': 'after' } });
  await small.restart();
  expect((await it.get('c1')).config).toMatchObject({ 'user.foo': 'after' });
});
