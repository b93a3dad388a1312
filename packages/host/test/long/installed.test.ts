import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../harness/api.ts';
import { DebianMachine } from '../harness/machine.ts';
import { BuiltPackages, OWN_ARCHITECTURE } from '../harness/packages.ts';

const MINUTES_MS = 60_000;
const INSTALL = ['install', '-y', '--no-install-recommends'] as const;

/** Folders in which a package may put files. */
const WATCHED = ['etc', 'usr', 'var/lib', 'root', 'run'];
/** What apt, dpkg and systemd remember, and caches that stay. */
const OWN_BUSINESS =
  /^(var\/lib\/(apt|dpkg|systemd|ucf|lxc|misc)\b|etc\/(ld\.so\.cache|sub[ug]id-?|g?shadow-?|group-?|passwd-?)|run\/)/;

describe('the Debian package, installed', () => {
  let machine: DebianMachine;
  let first: BuiltPackages;
  let next: BuiltPackages;
  /** Files of the machine before the package was there. */
  let before: string[];

  beforeAll(async () => {
    const args = ['--arch', OWN_ARCHITECTURE];
    first = await BuiltPackages.make(...args);
    next = await BuiltPackages.make(...args, '--label', 'next.1');
    machine = await DebianMachine.start();
    await apt('update');
  }, 30 * MINUTES_MS);
  afterAll(async () => {
    await machine?.destroy();
    for (const built of [first, next]) built?.[Symbol.dispose]();
  }, 5 * MINUTES_MS);

  const hostSocket = () => join(machine.root, 'var/lib/porthole/unix.socket');
  /** Runs apt. @returns all that it and the package's scripts say */
  const apt = (...args: string[]) => machine.must('sh', '-c', 'exec 2>&1; apt-get "$@"', 'sh', ...args);
  const inside = (...command: string[]) => machine.must('porthole', 'exec', 'c1', '-n', '--', ...command);
  const mainPid = () => machine.must('systemctl', 'show', '--value', '-p', 'MainPID', 'portholed.service');
  const initOf = async () =>
    (JSON.parse(await machine.must('porthole', 'query', '/1.0/instances/c1/state')) as { pid: number }).pid;

  /** What the daemon says of itself, on a new connection. */
  async function serverVersion(): Promise<string> {
    const asking = request({
      socketPath: hostSocket(),
      path: '/1.0',
      headers: { host: 'lxd' },
      agent: false,
    }).end();
    const [response] = (await once(asking, 'response')) as [NodeJS.ReadableStream];
    const answer = JSON.parse(await text(response)) as {
      metadata: { environment: { server_version: string } };
    };
    return answer.metadata.environment.server_version;
  }

  /** Every file of the machine but those in `OWN_BUSINESS`. */
  const files = async () =>
    (
      await machine.must(
        'find',
        ...WATCHED.map((path) => `/${path}`),
        '-xdev',
        '(',
        '-type',
        'f',
        '-o',
        '-type',
        'l',
        ')',
      )
    )
      .split('\n')
      .map((path) => path.slice(1))
      .filter((path) => path !== '' && !OWN_BUSINESS.test(path));

  it(
    'contains everything that it needs, and its service runs',
    async () => {
      // Its dependencies stay when the package is removed, so only its own files count.
      const depends = (
        await machine.must('dpkg-deb', '-f', machine.give(first.path('.deb')), 'Depends')
      ).trim();
      const names = depends.split(', ').map((each) => each.split(/ [(|]/)[0] as string);
      await apt(...INSTALL, ...names);
      before = await files();
      await apt(...INSTALL, machine.give(first.path('.deb')));
      expect(await machine.must('systemctl', 'is-enabled', 'portholed.service', 'portholed.socket')).toBe(
        'enabled\nenabled\n',
      );
      expect(await machine.must('systemctl', 'is-active', 'portholed.service')).toBe('active\n');
      expect(await machine.must('grep', '-h', '^root:', '/etc/subuid', '/etc/subgid')).toMatch(
        /^(root:\d+:1000000000\n){2}$/,
      );
      expect(await machine.must('stat', '-c', '%G %a', '/var/lib/porthole/unix.socket')).toBe(
        'porthole 660\n',
      );
      expect(await machine.must('porthole', 'list', '-f', 'json')).toBe('[]\n');
    },
    20 * MINUTES_MS,
  );

  it(
    'shows the tour, and runs an instance in which the guest API answers',
    async () => {
      expect(await machine.must('porthole', 'tour')).toMatch(/\nAll 10 steps of the tour gave/);
      await machine.must('porthole', 'delete', '--force', 'first');
      await machine.must('porthole', 'launch', 'busybox', 'c1', '-c', 'user.role=web');
      expect(await inside('devlxd', '/1.0/config/user.role')).toBe('web');
    },
    5 * MINUTES_MS,
  );

  it(
    'is upgraded in place: no request is refused, and the instance continues to run',
    async () => {
      const [pid, init, version] = [await mainPid(), await initOf(), await serverVersion()];
      await inside('sh', '-c', '(while :; do devlxd /1.0/config/user.role; echo " $?"; done >/asked 2>&1 &)');
      const refusals: unknown[] = [];
      let isOver = false;
      const asking = (async () => {
        while (!isOver) await serverVersion().catch((error: unknown) => refusals.push(error));
      })();
      await apt(...INSTALL, machine.give(next.path('.deb')));
      await until('the new version answers', async () => (await serverVersion()) === `${version}+next.1`);
      isOver = true;
      await asking;
      expect(refusals).toEqual([]);
      expect([await mainPid(), await initOf()]).toEqual([pid, init]);
      // The last line may not be complete yet.
      const asked = (await inside('cat', '/asked')).split('\n').slice(0, -1);
      expect(asked.length).toBeGreaterThan(10);
      expect(asked.filter((line) => line !== 'web 0')).toEqual([]);
    },
    10 * MINUTES_MS,
  );

  it(
    'is removed without its instances, says so, and finds them again',
    async () => {
      const init = await initOf();
      expect(await apt('remove', '-y', 'porthole')).toMatch(
        /these instances go on running, without a daemon: c1\s[\s\S]*their IDs: \d+\s/,
      );
      expect((await machine.run('systemctl', 'is-active', 'portholed.service')).ok).toBe(false);
      expect(await apt(...INSTALL, machine.give(next.path('.deb')))).not.toMatch(/does not run/);
      expect(await initOf()).toBe(init);
      expect(await inside('devlxd', '/1.0/config/user.role')).toBe('web');
    },
    10 * MINUTES_MS,
  );

  it(
    'keeps instances and images when it is purged, and names their folder',
    async () => {
      const said = await apt('purge', '-y', 'porthole');
      expect(said).toMatch(/\/var\/lib\/porthole stays, because instances or images are in it/);
      expect(readdirSync(join(machine.root, 'var/lib/porthole/instances'))).toHaveLength(1);
      await apt(...INSTALL, machine.give(next.path('.deb')));
      expect(await inside('devlxd', '/1.0/config/user.role')).toBe('web');
    },
    10 * MINUTES_MS,
  );

  it(
    'leaves nothing when it is purged after the last instance and image are deleted',
    async () => {
      await machine.must('porthole', 'delete', '--force', 'c1');
      await machine.must('porthole', 'image', 'delete', 'busybox');
      await apt('purge', '-y', 'porthole');
      expect(
        (await files()).filter((path) => !before.includes(path) && !path.startsWith('root/porthole_')),
      ).toEqual([]);
      expect(existsSync(join(machine.root, 'var/lib/porthole'))).toBe(false);
      expect((await machine.run('getent', 'group', 'porthole')).ok).toBe(false);
      expect((await machine.run('pgrep', '-f', 'portholed')).ok).toBe(false);
    },
    10 * MINUTES_MS,
  );
});
