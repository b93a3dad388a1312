import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../src/process/run.ts';
import { ask, until } from './harness/api.ts';
import { CallerTools } from './harness/caller.ts';
import { Crowd } from './harness/crowd.ts';
import { BIN, mountsBelow, TestDaemon } from './harness/daemon.ts';
import { Deaf } from './harness/deaf.ts';
import { Operator } from './harness/operator.ts';
import { Podman } from './harness/podman.ts';
import { outputOf } from './harness/private-host.ts';
import { RootlessPodman } from './harness/rootless.ts';
import { lxcWay } from './harness/ways/lxc.ts';
import { runcWay } from './harness/ways/runc.ts';
import type { Way } from './harness/ways/way.ts';

const STRANGER = 61_235;

let daemon: TestDaemon;
let operator: Operator;
let podman: Podman;
beforeAll(async () => {
  daemon = await TestDaemon.start(['--rootless-uids', '61234']);
  operator = new Operator(daemon);
  podman = await Podman.make();
  await podman.image('plain:1');
  await podman.image(
    'evil:1',
    'LABEL dev.porthole.name=web',
    'ENV PORTHOLE_PROFILES=secret PORTHOLE_NAME=web',
  );
  await setUpCdi((words) => podman.host.run(words));
  await operator.client.change('POST', '/1.0/profiles', {
    json: { name: 'secret', config: { 'user.x': 'hidden' } },
  });
});
afterAll(async () => {
  await podman?.[Symbol.asyncDispose]();
  await daemon?.destroy();
});

async function setUpCdi(run: (words: string[]) => Promise<Parameters<typeof outputOf>[1]>): Promise<void> {
  const command = [
    join(BIN, 'porthole'),
    '--state-dir',
    daemon.stateDir,
    'setup',
    'cdi',
    '--config',
    '/run/cdi/p.json',
  ];
  outputOf('setup cdi', await run(command));
}

const DEVICE = ['--device', 'porthole.dev/instance=default'];
const device = (...words: string[]) => podman.start(...DEVICE, ...words);
const value = async (name: string) =>
  (await ask(daemon, { init: await operator.pid(name) }, '/1.0/config/user.x')).body;

describe('A container that the daemon cannot distinguish from others does not start', () => {
  it('in the PID namespace of the host', async () => {
    const refused = device('--name', 'hostly', '--pid=host', 'plain:1', 'sleep', 'inf');
    await expect(refused).rejects.toThrow('it is in the PID namespace of the host');
    await expect(refused).rejects.toThrow('without --pid=host');
    expect(await operator.statuses()).not.toHaveProperty('hostly');
  });

  it('in the PID namespace of another instance, as in a pod', async () => {
    await device('--name', 'one', '-e', 'PORTHOLE_CONFIG_user.x=one', 'plain:1', 'sleep', 'inf');
    const second = device('--name', 'two', '--pid=container:one', 'plain:1', 'sleep', 'inf');
    await expect(second).rejects.toThrow('its PID namespace belongs to the instance "one"');
    expect(await operator.statuses()).not.toHaveProperty('two');
    expect(await value('one')).toBe('one');
  });
});

describe('A name cannot be taken', () => {
  beforeAll(() => device('--name', 'web', '-e', 'PORTHOLE_CONFIG_user.x=mine', 'plain:1', 'sleep', 'inf'));

  it('by a word of the image', async () => {
    await device('--name', 'thief', 'evil:1', 'sleep', 'inf');
    expect(await operator.statuses()).toMatchObject({ thief: 'Running', web: 'Running' });
    expect((await operator.get('thief')).profiles).toEqual(['default']);
    expect(await value('thief')).toBe('Not Found\n');
  });

  it('by a container with another name, whether the first one runs or not', async () => {
    const take = () =>
      device('--name', 'other', '--annotation', 'dev.porthole.name=web', 'plain:1', 'sleep', 'inf');
    await expect(take()).rejects.toThrow('the name "web" belongs to container web of podman');
    await podman.must('stop', '--time', '0', 'web');
    await podman.must('rm', '--force', 'other');
    await expect(take()).rejects.toThrow('the name "web" belongs to container web of podman');
  });

  it('if it belongs to an instance that Porthole runs', async () => {
    await daemon.must('init', '--empty', 'own');
    const take = device('--name', 'own', 'plain:1', 'sleep', 'inf');
    await expect(take).rejects.toThrow('the name "own" belongs to another instance');
  });
});

describe('Without a user namespace', () => {
  it('only root inside is served, and each container has its own config', async () => {
    for (const name of ['red', 'blue'])
      await device('--name', name, '-e', `PORTHOLE_CONFIG_user.x=${name}`, 'plain:1', 'sleep', 'inf');
    const inside = (name: string, user: string) =>
      podman.run('exec', '--user', user, name, '/usr/bin/devlxd', '/1.0/config/user.x');
    expect((await inside('red', '0')).stdout).toBe('red');
    expect((await inside('blue', '0')).stdout).toBe('blue');
    expect(await inside('blue', '1000')).toMatchObject({ ok: false, stderr: expect.stringContaining('401') });
  });
});

/** Leaves a request as a hook would. */
function leave(name: string, pid: number, seconds: number, id = name): void {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const bundle = podman.bundle(
    execFileSync('ls', [join(podman.host.folder, 'root/vfs-containers')], { encoding: 'utf8' }).split(
      '\n',
    )[0] ?? '',
  );
  const state = JSON.stringify({ id, pid, bundle, annotations: { 'dev.porthole.name': name } });
  const text = `createRuntime\n${seconds.toFixed(2)} 0.00\n${boot}\n${state}\nend\n`;
  writeFileSync(join(daemon.stateDir, 'hooks', `${name}.request`), text);
}
const handled = (name: string) =>
  until('the request is handled', () => !existsSync(join(daemon.stateDir, 'hooks', `${name}.request`)));
/** The lines of the log arrive through a pipe. */
const logged = (words: string) =>
  until(`the log says: ${words}`, () => JSON.stringify(daemon.log).includes(words));
const uptime = () => Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);

describe('A late request of a hook', () => {
  it('adopts no process that has the pid of the ended one', async () => {
    const before = uptime() - 1;
    await using crowd = await Crowd.make(1, 400_000);
    leave('late', crowd.pid(), before);
    await handled('late');
    await logged('the container has ended');
    leave('gone', 4_194_303, uptime());
    await handled('gone');
    expect(await operator.statuses()).not.toHaveProperty('gone');
  });

  it('makes no second instance of a container that is an instance already', async () => {
    leave('again', await operator.pid('one'), uptime(), 'another');
    await handled('again');
    await logged('belongs to the instance');
    expect(await value('one')).toBe('one');
  });
});

describe('A container inside an adopted one', () => {
  let way: Way;
  beforeAll(async () => {
    way = await lxcWay({ stateDir: daemon.stateDir, porthole: join(BIN, 'porthole') });
    await way.start('outer', 'outer');
  });
  afterAll(() => way?.[Symbol.asyncDispose]());

  it('counts as that instance, also in namespaces of its own', async () => {
    const inner = ['unshare', '-p', '-f', '-m', '/usr/bin/devlxd', '/1.0/config/user.x'];
    expect(outputOf('inside', await way.exec('outer', ...inner))).toBe('outer');
  });
});

describe('A container whose cgroup has a name like that of another container', () => {
  let way: Way;
  beforeAll(async () => {
    way = await runcWay({ stateDir: daemon.stateDir, porthole: join(BIN, 'porthole') });
  });
  afterAll(() => way?.[Symbol.asyncDispose]());

  it('has its own config and figures', async () => {
    await way.start('lxc.monitor.one', 'monitor');
    expect(await operator.statuses()).toMatchObject({ 'lxc-monitor-one': 'Running', one: 'Running' });
    expect(await value('lxc-monitor-one')).toBe('monitor');
    expect(await value('one')).toBe('one');
  });
});

describe('A user with rootless containers', () => {
  let rootless: RootlessPodman;
  beforeAll(async () => {
    rootless = await RootlessPodman.make();
    await setUpCdi((words) => rootless.host.run(words));
  });
  afterAll(() => rootless?.[Symbol.asyncDispose]());

  it('has instances with the uid in their names, without profiles', async () => {
    const words = ['--annotation', 'dev.porthole.name=web', '--annotation', 'dev.porthole.profiles=secret'];
    outputOf('run', await rootless.start(...DEVICE, '--name', 'mine', ...words));
    expect(await operator.get('u61234-web')).toMatchObject({
      ...{ profiles: [], status: 'Running' },
      config: { 'volatile.container.name': 'mine', 'volatile.container.image': 'localhost/bb:1' },
    });
    expect(await rootless.must('exec', 'mine', '/usr/bin/devlxd', '/1.0/config')).toBe('[]');
    await rootless.must('rm', '--force', '--time=0', 'mine');
    await until('its end is seen', async () => (await operator.statuses())['u61234-web'] === 'Stopped');
  });

  it('does not get a name from an image', async () => {
    const file = join(rootless.host.folder, 'Containerfile');
    writeFileSync(file, 'FROM bb:1\nLABEL x=y\n');
    const said = ['--annotation', 'dev.porthole.name=web', '--annotation', 'dev.porthole.config.user.x=1'];
    await rootless.must('build', '--isolation=chroot', ...said, '--tag', 'evil:1', '--file', file);
    const limits = ['--ulimit=nofile=1024:1024', '--ulimit=nproc=1000:1000'];
    const words = ['--detach', '--network=none', ...limits, ...DEVICE, '--name', 'thief'];
    const id = await rootless.must('run', ...words, 'evil:1', 'sleep', 'inf');
    expect(await rootless.must('inspect', '--format={{json .Config.Annotations}}', id)).toContain('"web"');
    expect((await operator.get('u61234-thief')).config).not.toHaveProperty('user.x');
    await rootless.must('rm', '--force', '--time=0', 'thief');
  });

  it('cannot set keys that only root may set', async () => {
    const refused = await rootless.start(
      ...DEVICE,
      '--annotation',
      'dev.porthole.config.security.devlxd.images=true',
    );
    expect(refused.ok).toBe(false);
    expect(refused.stderr).toContain('only root may set "security.devlxd.images"');
  });

  it('cannot claim a container of root, nor of another user', async () => {
    await using crowd = await Crowd.make(1, 400_000);
    for (const [name, pid] of [
      ['roots', await operator.pid('one')],
      ['others', crowd.pid()],
    ] as const) {
      const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
      const state = JSON.stringify({
        id: name,
        pid,
        bundle: '/',
        annotations: { 'dev.porthole.name': name },
      });
      const request = join(daemon.stateDir, 'claims/61234', `${name}.request`);
      writeFileSync(request, `createRuntime\n${uptime().toFixed(2)} 0.00\n${boot}\n${state}\nend\n`);
      chownSync(request, 61_234, 61_234);
      await until('it is handled', () => !existsSync(request));
      expect(JSON.stringify(daemon.log.slice(-3))).toContain('does not belong to the user who asks');
      expect(await operator.statuses()).not.toHaveProperty(`u61234-${name}`);
    }
  });

  it('gets an error if root has not allowed it, and cannot use the folder of another user', async () => {
    const hook = (uid: number, ...words: string[]) =>
      rootless.host.run([
        ...[
          'env',
          '--chdir=/',
          'setpriv',
          `--reuid=${uid}`,
          `--regid=${uid}`,
          '--clear-groups',
          '--',
          ...words,
        ],
      ]);
    const porthole = [join(BIN, 'porthole'), 'oci-hook', 'createRuntime', '--state-dir', daemon.stateDir];
    const refused = await hook(STRANGER, ...porthole);
    expect(refused.ok).toBe(false);
    expect(refused.stderr).toContain(`root has not allowed containers of uid ${STRANGER}`);
    const write = await hook(STRANGER, 'touch', join(daemon.stateDir, 'hooks', 'x.request'));
    expect(write.stderr).toContain('Permission denied');
    // A user can put files into the folder of another user. The daemon ignores and removes them.
    const strange = join(daemon.stateDir, 'claims/61234', 'x.request');
    outputOf('touch', await hook(STRANGER, 'touch', strange));
    await until('it is gone', () => !existsSync(strange));
    expect((await hook(STRANGER, 'ls', join(daemon.stateDir, 'claims/61234'))).stderr).toContain(
      'Permission denied',
    );
  });

  describe('whose folder of requests', () => {
    const claims = () => join(daemon.stateDir, 'claims/61234');
    const as = (uid: number, script: string) => {
      const user = ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--'];
      return rootless.host.run(['env', '--chdir=/', ...user, 'sh', '-c', script]);
    };
    const mounts = () => mountsBelow(claims()).length;

    it('holds a few files, and never fills the disk', async () => {
      expect(mounts()).toBe(1);
      const big = await as(STRANGER, `head -c 8M /dev/zero > ${claims()}/big`);
      expect(big.stderr).toContain('No space left on device');
      const many = await as(STRANGER, `for n in $(seq 400); do touch ${claims()}/$n || exit 7; done`);
      expect(many.code).toBe(7);
      for (const name of readdirSync(claims())) rmSync(join(claims(), name));
    });

    it('may have a file system that never answers in the place of a request: others are handled', async () => {
      using tools = new CallerTools();
      const deaf = await Deaf.onHost(tools, join(claims(), 'deaf.request'), 'x', 0);
      const pipe = await Deaf.onHost(tools, join(claims(), 'own.reply'), 'x', 0);
      try {
        writeFileSync(join(claims(), 'own.request'), 'wrong\n\nend\n');
        chownSync(join(claims(), 'own.request'), 61_234, 61_234);
        await until('it is handled', () => !existsSync(join(claims(), 'own.request')));
        expect([deaf.held, pipe.held]).toEqual([0, 0]);
      } finally {
        for (const each of [deaf, pipe]) await each.end();
        for (const mount of mountsBelow(claims()).filter((each) => each !== claims()))
          execFileSync('umount', ['--lazy', mount]);
      }
      for (const name of readdirSync(claims())) rmSync(join(claims(), name), { recursive: true });
    });

    it('is the same one after a restart in place and after a crash, and goes with the daemon', async () => {
      await daemon.restartInPlace();
      expect(mounts()).toBe(1);
      await daemon.kill();
      await daemon.start();
      expect(mounts()).toBe(1);
      await daemon.stop();
      expect(mounts()).toBe(0);
      // In the mounts of the host: those of the rootless Podman here do not follow them.
      const user = ['--reuid=61234', '--regid=61234', '--clear-groups', '--', join(BIN, 'porthole')];
      const hook = await run('setpriv', [
        ...[...user, 'oci-hook', 'createRuntime', '--state-dir', daemon.stateDir],
      ]);
      expect([hook.code, hook.stderr]).toEqual([0, expect.stringContaining('no daemon runs for')]);
      await daemon.start();
      expect(mounts()).toBe(1);
    });
  });
});
