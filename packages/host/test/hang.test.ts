import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test as it } from 'vitest';
import { run } from '../src/process/run.ts';
import { until } from './harness/api.ts';
import { CallerTools } from './harness/caller.ts';
import { mountsBelow, TestDaemon } from './harness/daemon.ts';
import { Deaf } from './harness/deaf.ts';
import { Operator } from './harness/operator.ts';

/**
 * Time limit for work on other instances while one hangs: less than half of what the hanging work may take.
 */
const PROMPT_MS = 4_000;
/** Time limit for a start or stop of the daemon on a busy machine; a real hang lasts for ever. */
const START_MS = 40_000;

let daemon: TestDaemon;
let operator: Operator;
let tools: CallerTools;
let folder: string;

beforeAll(async () => {
  daemon = await TestDaemon.start();
  operator = new Operator(daemon);
  tools = new CallerTools();
  folder = mkdtempSync('/var/tmp/porthole-test-hang-');
  await daemon.must('image', 'build', 'busybox');
  for (const name of ['a', 'b']) await operator.launch(name, { config: { 'user.who': name } });
});

afterAll(async () => {
  await daemon?.destroy();
  tools?.[Symbol.dispose]();
  for (const mount of mountsBelow(folder)) await run('umount', ['--lazy', mount]);
  rmSync(folder, { recursive: true });
});

/** Waits for work, and fails when it takes too long because something hangs. */
async function prompt<T>(what: string, work: Promise<T>, withinMs = PROMPT_MS): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`${what} took more than ${withinMs} ms`)), withinMs);
  return Promise.race([work, late.promise]).finally(() => clearTimeout(timer));
}

/** Checks that another instance can be changed and gets answers as usual. */
async function othersGoOn(name = 'b'): Promise<void> {
  await prompt('a change of another', operator.patch(name, { config: { 'user.x': `${performance.now()}` } }));
  const asked = operator.sh(name, 'devlxd /1.0/config/user.who; devlxd /1.0/devices >/dev/null');
  expect(await prompt('a request of another', asked)).toBe(name);
}

const disk = (source: string) => ({ type: 'disk', source, path: '/data' });
const refused = (work: Promise<unknown>, text: RegExp) => expect(work).rejects.toThrow(text);

/** Pids of programs that change mounts for the daemon, or for one before it. */
function mountPrograms(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => textOf(`/proc/${pid}/cmdline`).includes('mount-child') && isOurs(pid))
    .map(Number);
}

/** Whether a process has a folder of an instance of this daemon open. */
const isOurs = (pid: string) =>
  filesOf(pid).some((file) => file.startsWith(join(daemon.stateDir, 'instances')));

function filesOf(pid: number | string): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  } catch {
    return [];
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

describe('an instance with a file system over /dev that does not answer', () => {
  const NO_ANSWER = /does not answer at that path/;
  const STUCK = /earlier changes of its mounts have not ended/;
  const data = () => ({ ...disk(tools.folder), path: '/dev/data' });
  const info = () => daemon.must('info', 'h');
  let deaf: Deaf;

  beforeAll(async () => {
    const fuse = { type: 'unix-char', source: '/dev/fuse', path: '/dev/fuse' };
    await operator.launch('h', { devices: { fuse } });
    deaf = await Deaf.overDev(tools, await operator.pid('h'), 'lxd,data');
  });

  afterAll(() => deaf?.end());

  it('delays its own change until the time limit, and no other work', async () => {
    const hangs = refused(operator.device('h', 'data', data()), NO_ANSWER);
    await until('it hangs', () => deaf.held > 0);
    await othersGoOn();
    await hangs;
    expect((await operator.get('h')).devices).not.toHaveProperty('data');
  });

  it('has the guest API switched off, although its mount cannot be removed', async () => {
    const warned = daemon.logged('could not take /dev/lxd out of an instance');
    await operator.patch('h', { config: { 'security.devlxd': 'false' } });
    await warned;
    await othersGoOn();
  });

  it('has at most two hung programs, and info shows them', async () => {
    await prompt('a refusal', refused(operator.device('h', 'data', data()), STUCK));
    await prompt('a refusal', refused(operator.device('h', 'fuse', null), STUCK));
    expect(mountPrograms()).toHaveLength(2);
    expect(await info()).toMatch(/^Stuck: 2 /m);
    expect(await daemon.must('info', 'b')).not.toContain('Stuck');
  });

  it('reaches nothing through the hung programs: each has only one process and one folder open', () => {
    for (const pid of mountPrograms()) {
      const files = filesOf(pid).filter((file) => !/^(socket|pipe|anon_inode):|^\/dev\/null$/.test(file));
      const own = expect.stringMatching(/^\S+\/instances\/\d+(\/overlay)?$/);
      expect(files.filter((file) => !file.includes('pidfd'))).toEqual([own]);
      expect(textOf(`/proc/${pid}/status`)).toMatch(/^State:\s+D/m);
    }
  });

  it('delays neither a restart in place nor the stop nor the next start of the daemon', async () => {
    await prompt('a restart in place', daemon.restartInPlace(), START_MS);
    await othersGoOn();
    expect(await info()).toMatch(/^Stuck: 2 /m);
    expect(await prompt('the end', daemon.stop(), START_MS)).toBe(0);
    await prompt('a start', daemon.start(), START_MS);
    await othersGoOn();
    const { pid } = daemon;
    await prompt('a kill', daemon.kill());
    expect(readdirSync('/proc')).not.toContain(String(pid));
    await prompt('a start', daemon.start(), START_MS);
    await othersGoOn();
    expect(mountPrograms()).toHaveLength(2);
    expect(await info()).toMatch(/^Stuck: 2 /m);
  });

  it('can be stopped, and then no hung program and no zombie is left', async () => {
    await prompt('a forced stop', operator.state('h', 'stop', { force: true }), START_MS);
    await until('no program is left', () => mountPrograms().length === 0);
    await operator.delete('h');
    const children = textOf(`/proc/${daemon.pid}/task/${daemon.pid}/children`).trim().split(' ');
    const zombies = () => children.filter((pid) => /^State:\s+Z/m.test(textOf(`/proc/${pid}/status`)));
    await until('no zombie is left', () => zombies().length === 0);
  });
});

describe('a source that stops answering while it is mounted', () => {
  it('is not mounted in another instance when it answers later', async () => {
    const point = join(folder, 'late');
    // Two lookups of the daemon are answered; that of the mount itself is not.
    const deaf = await Deaf.onHost(tools, point, 'one,two', 2);
    try {
      await refused(operator.device('a', 'data', disk(join(point, 'one'))), /does not answer/);
      const held = deaf.held;
      const other = refused(operator.device('b', 'data', disk(join(point, 'two'))), /does not answer/);
      await until('the next one waits, too', () => deaf.held > held);
      await othersGoOn('a');
      deaf.answer();
      await other;
      for (const name of ['a', 'b'])
        expect(await operator.sh(name, 'grep -c /data /proc/self/mountinfo || true')).toBe('0');
    } finally {
      await deaf.end();
    }
  });

  it('is not mounted in an instance that was started after its own had ended', async () => {
    const point = join(folder, 'later');
    const deaf = await Deaf.onHost(tools, point, 'one', 2);
    const heirs = ['h1', 'h2', 'h3'];
    try {
      await operator.launch('l');
      await refused(operator.device('l', 'data', disk(join(point, 'one'))), /does not answer/);
      await operator.state('l', 'stop', { force: true });
      // The ids of its process are free for the others.
      for (const name of heirs) await operator.launch(name);
      deaf.answer();
      await until('no program is left', () => mountPrograms().length === 0);
      for (const name of heirs) {
        await operator.device(name, 'own', { ...disk(tools.folder), path: '/own' });
        const mounted = await operator.sh(name, 'grep -oE " /(data|own) " /proc/self/mountinfo');
        expect([name, mounted]).toEqual([name, '/own']);
      }
    } finally {
      await deaf.end();
      for (const name of ['l', ...heirs]) await daemon.porthole('delete', '-f', name);
    }
  });
});

describe('records of containers on a disk that does not answer', () => {
  /** More than the daemon has threads for files. */
  const COUNT = 8;

  it('delay the hooks of their containers for some seconds, but block no thread of the daemon', async () => {
    const point = join(folder, 'records');
    const deaf = await Deaf.onHost(tools, point, 'bundle', 0);
    const hooks = join(daemon.stateDir, 'hooks');
    const isThread = (line: RegExp) =>
      readdirSync(`/proc/${daemon.pid}/task`).some((id) =>
        line.test(textOf(`/proc/${daemon.pid}/task/${id}/status`)),
      );
    try {
      for (let number = 0; number < COUNT; number++)
        writeFileSync(join(hooks, `${number}.request`), requestFor(join(point, 'bundle'), number));
      await until('they hang', () => deaf.held > 0);
      await othersGoOn();
      expect(isThread(/^State:\s+D/m)).toBe(false);
      await until('all are refused', () => readdirSync(hooks).length === 0);
      expect(await operator.sh('b', 'devlxd /1.0/config/user.who')).toBe('b');
    } finally {
      await deaf.end();
    }
  });

  /** As the hook of an OCI runtime writes it. */
  function requestFor(bundle: string, number: number): string {
    const state = { id: `deaf-${number}`, pid: process.pid, bundle, annotations: {} };
    const lines = ['/proc/uptime', '/proc/sys/kernel/random/boot_id'].map((path) => textOf(path).trim());
    return `${['createRuntime', ...lines, JSON.stringify(state)].join('\n')}\nend\n`;
  }
});

describe('a disk whose source does not answer', () => {
  const DEAD = /The source path does not answer: /;
  const point = () => join(folder, 'dead');
  const source = () => join(point(), 'folder');
  let deaf: Deaf;

  beforeAll(async () => {
    await operator.create('s', { devices: { data: { ...disk(source()), required: 'false' } } });
    // As many lookups are answered as it takes to add the disk to one running instance.
    deaf = await Deaf.onHost(tools, point(), 'folder', 3);
    await operator.device('a', 'data', disk(source()));
  });

  afterAll(async () => {
    await deaf?.end();
    for (const name of ['s', 't']) if (name in (await operator.statuses())) await operator.delete(name);
    await operator.device('a', 'data', null);
  });

  it('delays no start of the daemon, and stays mounted', async () => {
    const { held } = deaf;
    await prompt('a restart in place', daemon.restartInPlace(), START_MS);
    await prompt('a kill', daemon.kill());
    await prompt('a start', daemon.start(), START_MS);
    expect(deaf.held).toBe(held);
    expect(await operator.sh('a', 'grep -c " /data " /proc/self/mountinfo')).toBe('1');
    await othersGoOn('a');
  });

  it('is refused when it is added, and no other instance waits', async () => {
    const { held } = deaf;
    const added = refused(operator.device('b', 'data', disk(source())), DEAD);
    await until('it is looked at', () => deaf.held > held);
    await othersGoOn('a');
    await added;
    expect((await operator.get('b')).devices).toEqual({});
    await othersGoOn('b');
  });

  it('fails the start of its instance, and no other instance waits', async () => {
    const { held } = deaf;
    const started = refused(operator.state('s', 'start'), DEAD);
    await until('it is looked at', () => deaf.held > held);
    await othersGoOn();
    await started;
    expect((await operator.statuses())['s']).toBe('Stopped');
  });

  it('is not looked up again and again: the third use is refused at once', async () => {
    const { held } = deaf;
    await prompt('a refusal', refused(operator.state('s', 'start'), DEAD));
    await prompt('a refusal', refused(operator.create('t', { devices: { data: disk(source()) } }), DEAD));
    expect(deaf.held).toBe(held);
    expect(mountsBelow(daemon.stateDir)).toEqual([]);
  });

  it('delays no other instance that starts with the daemon', async () => {
    await operator.patch('s', { config: { 'boot.autostart': 'true', 'boot.autostart.priority': '9' } });
    await daemon.stop();
    const failed = daemon.logged('instance could not be started automatically');
    await prompt('a start', daemon.start(), START_MS);
    await othersGoOn();
    expect((await failed)['instance']).toBe('s');
  });

  it('can be used again when it answers', async () => {
    deaf.answer();
    await deaf.end();
    for (const mount of mountsBelow(folder)) await run('umount', ['--lazy', mount]);
    mkdirSync(source(), { recursive: true });
    await operator.state('s', 'start');
    expect(await operator.sh('s', 'grep -c " /data " /proc/self/mountinfo')).toBe('1');
    await operator.state('s', 'stop', { force: true });
  });
});
