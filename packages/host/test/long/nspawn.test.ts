import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../harness/api.ts';
import { DebianMachine } from '../harness/machine.ts';

const MINUTE_MS = 60_000;
const CHECKOUT = fileURLToPath(new URL('../../../..', import.meta.url));
/** Where the units of a checkout expect it. */
const INSTALLED = '/opt/porthole';
const PACKAGES = ['systemd-container', 'lxc', 'uidmap', 'libatomic1'];

/** The first process of a machine. Its first work is a request. */
const INIT = `#!/bin/sh
guest() { curl -s --unix-socket /dev/lxd/sock "$@"; }
guest http://lxd/1.0/config/user.role > /first.new 2>&1
mv /first.new /first
guest -X PATCH -d '{"state":"Ready"}' http://lxd/1.0
guest -N http://lxd/1.0/events > /events &
trap 'exit 0' USR2
trap 'reboot -ff' INT
while :; do sleep 600 & wait $!; done
`;
const OWN_SETTINGS =
  '[Exec]\nBoot=no\nParameters=/init\n# stops at once\nKillSignal=SIGUSR2\n[Network]\nVirtualEthernet=no\n';

describe('Machines of systemd-nspawn, under systemd', () => {
  let host: DebianMachine;
  beforeAll(async () => {
    host = await DebianMachine.start('bookworm', { packages: PACKAGES, shown: { [INSTALLED]: CHECKOUT } });
    for (const file of ['etc/subuid', 'etc/subgid']) writeFileSync(at(file), 'root:1000000:1000000000\n');
    await host.must('groupadd', '--system', 'porthole');
    await host.must('systemctl', 'link', ...UNITS.map((unit) => `${INSTALLED}/systemd/${unit}`));
    await host.must('systemctl', 'start', 'portholed.service');
    for (const name of ['web', 'db', 'stranger']) makeMachine(name);
  }, 20 * MINUTE_MS);
  afterAll(() => host?.destroy(), 5 * MINUTE_MS);

  const UNITS = ['portholed.service', 'portholed.socket', 'portholed-guest.socket'];
  const at = (path: string) => join(host.root, path);
  const inside = (name: string, file: string) => at(`var/lib/machines/${name}/${file}`);
  const settings = (name: string) => at(`etc/systemd/nspawn/${name}.nspawn`);
  const porthole = (...words: string[]) => host.must(`${INSTALLED}/bin/porthole`, ...words);

  interface Shown {
    readonly status: string;
    readonly config: Readonly<Record<string, string>>;
  }
  const shown = async (name: string) =>
    JSON.parse(await porthole('query', `/1.0/instances/${name}`)) as Shown;
  const leader = async (name: string) =>
    (await host.must('machinectl', 'show', name, '--property=Leader', '--value')).trim();

  /** A root whose programs are those of the host. */
  function makeMachine(name: string, exec = ''): void {
    mkdirSync(inside(name, 'usr'), { recursive: true });
    for (const folder of ['bin', 'sbin', 'lib', 'lib64']) symlinkSync(`usr/${folder}`, inside(name, folder));
    writeFileSync(inside(name, 'init'), INIT, { mode: 0o755 });
    mkdirSync(at('etc/systemd/nspawn'), { recursive: true });
    writeFileSync(settings(name), `${OWN_SETTINGS}${exec}\n[Files]\nBindReadOnly=/usr\n`);
  }

  /** Starts or ends a machine, and waits until a new one has made its first request. @returns the answer */
  async function firstAnswer(name: string, work: () => Promise<unknown>): Promise<string> {
    rmSync(inside(name, 'first'), { force: true });
    await work();
    await until('the first request is answered', () => existsSync(inside(name, 'first')));
    return readFileSync(inside(name, 'first'), 'utf8');
  }
  const start = (name: string) =>
    firstAnswer(name, () => host.must('systemctl', 'start', `systemd-nspawn@${name}`));

  it('are instances from their first request on, with the config in their settings', async () => {
    const own = `[Exec]\nEnvironment="PORTHOLE_CONFIG_user__role=front end"\n${readFileSync(settings('web'), 'utf8')}`;
    writeFileSync(settings('web'), own);
    expect(await porthole('setup', 'nspawn', 'web')).toContain('Wrote /etc/systemd/nspawn/web.nspawn');
    expect(readFileSync(settings('web'), 'utf8').startsWith(own)).toBe(true);
    expect(await start('web')).toBe('front end');
    await porthole('wait', 'web', '--for', 'ready', '--timeout', '10');
    expect((await shown('web')).config).toMatchObject({
      'volatile.container.runtime': 'nspawn',
      'volatile.container.id': 'web',
      'volatile.container.record': '/etc/systemd/nspawn/web.nspawn',
    });
    expect(await porthole('info', 'web')).toContain(`PID: ${await leader('web')}\n`);
  });

  it('get events, and are the same instance after a reboot', async () => {
    const { config } = await shown('web');
    await until('it listens', () => existsSync(inside('web', 'events')));
    await porthole('config', 'set', 'web', 'user.role=back');
    await until('the event is there', () => readFileSync(inside('web', 'events'), 'utf8').includes('"back"'));
    expect(await firstAnswer('web', () => host.must('machinectl', 'reboot', 'web'))).toBe('back');
    expect((await shown('web')).config['volatile.uuid']).toBe(config['volatile.uuid']);
  });

  it('are adopted by the next daemon if they were started while none ran', async () => {
    const before = await leader('web');
    const restart = async () => {
      await host.must('systemctl', 'kill', '--signal=KILL', 'portholed.service');
      await host.must('systemctl', 'restart', 'systemd-nspawn@web');
    };
    expect(await firstAnswer('web', restart)).toBe('back');
    expect(await leader('web')).not.toBe(before);
    const restarted = await host.must('systemctl', 'show', 'portholed.service', '--property=NRestarts');
    expect(restarted).toBe('NRestarts=1\n');
    await host.must('systemctl', 'kill', '--signal=HUP', '--kill-who=main', 'portholed.service');
    const isBack = async () => (await porthole('info', 'web')).includes(`PID: ${await leader('web')}\n`);
    await until('the daemon has loaded again', isBack);
  });

  it('never see each other, and are adopted only if root has set them up', async () => {
    await porthole('setup', 'nspawn', 'db');
    await porthole('setup', 'nspawn', 'stranger');
    chmodSync(settings('stranger'), 0o664);
    expect((await host.run(`${INSTALLED}/bin/porthole`, 'setup', 'nspawn', 'stranger')).stderr).toMatch(
      /Only root may be able to write .*chmod go-w/,
    );
    expect(await start('stranger')).toBe('Process ID not found in container\n');
    expect(await start('db')).toMatch(/not found/i);
    await porthole('config', 'set', 'db', 'user.role=store');
    expect(await firstAnswer('db', () => host.must('systemctl', 'restart', 'systemd-nspawn@db'))).toBe(
      'store',
    );
    expect(await firstAnswer('web', () => host.must('systemctl', 'restart', 'systemd-nspawn@web'))).toBe(
      'back',
    );
    expect(await porthole('list', '-f', 'csv', '-c', 'n')).toBe('db\nweb\n');
  });

  it('are stopped when their unit stops, and do not become instances after the setup was removed', async () => {
    await host.must('systemctl', 'stop', 'systemd-nspawn@web');
    await porthole('wait', 'web', '--for', 'stopped', '--timeout', '10');
    await porthole('setup', 'nspawn', 'web', '--remove');
    expect(readFileSync(settings('web'), 'utf8')).not.toContain('porthole setup');
    expect(await start('web')).toBe('');
    expect(await porthole('list', '-f', 'csv', '-c', 'ns')).toBe('db,READY\nweb,STOPPED\n');
    await host.must('systemctl', 'stop', 'systemd-nspawn@web', 'systemd-nspawn@db');
    await host.must('machinectl', 'remove', 'db');
    expect(existsSync(settings('db'))).toBe(false);
  });

  it('are instances while they run if a profile asks for them, also with users of their own', async () => {
    const names = ['batch-1', 'batch-2'];
    makeMachine('batch-1', '[Exec]\nPrivateUsers=no\n');
    makeMachine('batch-2', '[Exec]\nPrivateUsers=524288\n[Files]\nPrivateUsersOwnership=chown\n');
    for (const name of names) await start(name);
    await porthole('profile', 'create', 'small');
    await porthole('profile', 'set', 'small', 'user.role=cheap');
    await porthole('profile', 'set', 'small', 'adopt.machines=batch-*');
    const ask = ['curl', '-s', '--unix-socket', '/dev/lxd/sock', 'http://lxd/1.0/config/user.role'];
    const role = async (name: string) =>
      (await host.run('nsenter', '--target', await leader(name), '--all', '--', ...ask)).stdout;
    const isKnown = (name: string) =>
      until(`${name} has its answer`, async () => (await role(name)) === 'cheap');
    for (const name of names) await isKnown(name);
    expect(await porthole('list', '-f', 'csv', '-c', 'nsP', 'batch')).toBe(
      'batch-1,RUNNING,small\nbatch-2,RUNNING,small\n',
    );
    const { config } = await shown('batch-2');
    await host.must('systemctl', 'restart', 'systemd-nspawn@batch-2');
    await isKnown('batch-2');
    expect((await shown('batch-2')).config['volatile.uuid']).toBe(config['volatile.uuid']);
    await porthole('profile', 'unset', 'small', 'adopt.machines');
    expect(await role('batch-1')).toBe('cheap');
    await host.must('systemctl', 'restart', 'systemd-nspawn@batch-1');
    await porthole('wait', 'batch-1', '--for', 'stopped', '--timeout', '10');
    expect(await role('batch-1')).toBe('');
  });
});
