import { mkdtempSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test as it } from 'vitest';
import { until } from '../harness/api.ts';
import { TestDaemon } from '../harness/daemon.ts';
import { type DebianRoot, debianImage } from '../harness/debian-root.ts';
import { TestLxcfs } from '../harness/lxcfs.ts';
import { Operator } from '../harness/operator.ts';

const SYSTEMD = ['systemd-sysv', 'dbus', 'udev', 'iproute2', 'procps'];
const BOOKWORM: DebianRoot = { suite: 'bookworm', packages: SYSTEMD };
const TRIXIE: DebianRoot = { suite: 'trixie', packages: SYSTEMD };
const OPENRC: DebianRoot = { suite: 'bookworm', packages: ['openrc', 'sysvinit-core', 'procps'] };

/** A boot takes seconds, on a busy machine half a minute. */
const BOOT_MS_MAX = 120_000;

let folder: string;
let lxcfs: TestLxcfs;
let daemon: TestDaemon;
let operator: Operator;

beforeAll(async () => {
  folder = mkdtempSync('/var/tmp/porthole-test-roots-');
  lxcfs = await TestLxcfs.start();
  daemon = await TestDaemon.start(['--lxcfs', lxcfs.point]);
  operator = new Operator(daemon);
});
afterAll(async () => {
  await daemon?.destroy();
  await lxcfs?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function importRoot(alias: string, root: DebianRoot): Promise<void> {
  const image = await debianImage(root, folder);
  await daemon.must('image', 'import', image, '--alias', alias);
  rmSync(image);
}

/** Launches an instance whose init is systemd, and waits until systemd says how its start has ended. */
async function bootSystemd(name: string, alias: string, config: Record<string, string> = {}) {
  await operator.launch(name, { source: { type: 'image', alias }, config });
  const wait = 'systemctl is-system-running --wait 2>/dev/null';
  const state = async () => (await operator.exec(name, ['sh', '-c', wait])).stdout.trim();
  // Before systemd answers, the command says `offline`, or nothing.
  let last = '';
  await until(
    'systemd has started',
    async () => {
      last = await state();
      return !['', 'offline', 'initializing', 'starting'].includes(last);
    },
    BOOT_MS_MAX,
  );
  const failed = await operator.sh(name, 'systemctl --failed --no-legend --plain');
  return { state: last, failed, hostname: await operator.sh(name, 'hostname; cat /etc/hostname') };
}

const running = (name: string) => ({ state: 'running', failed: '', hostname: `${name}\n${name}` });

it('systemd of Debian 12 is running, with nothing failed, under the name of its instance', async () => {
  await importRoot('bookworm', BOOKWORM);
  const config = { 'limits.memory': '300MiB' };
  expect(await bootSystemd('d12', 'bookworm', config)).toEqual(running('d12'));
  expect(await operator.sh('d12', "free --mebi | awk '/^Mem:/ { print $2 }'")).toBe('300');
  await operator.state('d12', 'restart');
  await until(
    'it is running again',
    async () => {
      const { stdout } = await operator.exec('d12', ['systemctl', 'is-system-running']);
      return stdout === 'running\n';
    },
    BOOT_MS_MAX,
  );
});

it.each([
  ['a privileged instance', 'privileged', { 'security.privileged': 'true' }],
  ['an instance with nesting', 'nesting', { 'security.nesting': 'true' }],
])('systemd of Debian 12 is running in %s', async (_, name, config) => {
  expect(await bootSystemd(name, 'bookworm', config)).toEqual(running(name));
});

it('systemd of Debian 13 is running, with nothing failed, under the name of its instance', async () => {
  await importRoot('trixie', TRIXIE);
  expect(await bootSystemd('d13', 'trixie', { 'limits.memory': '300MiB' })).toEqual(running('d13'));
  expect(await operator.sh('d13', 'systemctl --version')).toMatch(/systemd 257/);
});

it('Debian 12 with OpenRC reaches its runlevel, with nothing crashed, under the name of its instance', async () => {
  await importRoot('openrc', OPENRC);
  await operator.launch('rc', { source: { type: 'image', alias: 'openrc' } });
  const level = async () => (await operator.exec('rc', ['runlevel'])).stdout.trim();
  await until('it is in its runlevel', async () => (await level()) === 'N 2', BOOT_MS_MAX);
  await until(
    'the runlevel default is reached',
    async () => {
      return (await operator.sh('rc', 'rc-status --runlevel; rc-status default')).includes('rc.local');
    },
    BOOT_MS_MAX,
  );
  // Its exit code says whether it has found one.
  expect(await operator.sh('rc', 'rc-status --crashed || true')).toBe('');
  expect(await operator.sh('rc', 'hostname; cat /etc/hostname')).toBe('rc\nrc');
});

it('busybox runs under the name of its instance', async () => {
  await daemon.must('image', 'build', 'busybox');
  await operator.launch('bb');
  expect(await operator.sh('bb', 'hostname; cat /proc/1/comm')).toBe('bb\ninit');
});
