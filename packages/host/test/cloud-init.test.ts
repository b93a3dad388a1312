import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../src/process/run.ts';
import { TestDaemon } from './harness/daemon.ts';

const USER_DATA = '#cloud-config\n# a comment that must survive\npackages: [vim]\n';
const VENDOR_DATA = '#cloud-config\nruncmd: [ls]\n';
const NETWORK_CONFIG = 'version: 1\nconfig: disabled\n';

/** The output of Debian's `python3 -m cloudinit.sources.DataSourceLXD`. */
interface Read {
  readonly config: Readonly<Record<string, string>>;
  readonly devices: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly 'meta-data': string;
  readonly 'network-config': string;
  readonly 'user-data': string;
  readonly 'vendor-data': string;
}

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await TestDaemon.start();
  await daemon.must('image', 'build', 'busybox');
  await daemon.must(
    'launch',
    'busybox',
    'ci',
    '-c',
    'user.role=web',
    '-c',
    `cloud-init.user-data=${USER_DATA}`,
  );
  await daemon.must('config', 'set', 'ci', `cloud-init.vendor-data=${VENDOR_DATA}`);
  await daemon.must('config', 'set', 'ci', `cloud-init.network-config=${NETWORK_CONFIG}`);
});
afterAll(() => daemon?.destroy());

/**
 * Runs the reader as root of the instance, in its user and PID namespaces, with the guest API's folder at
 * /dev/lxd. The files are the host's: the instance has no Python.
 */
async function readAsCloudInit(): Promise<Read> {
  const script = `set -e
    mount -t tmpfs tmpfs /mnt
    for device in null random urandom; do touch /mnt/$device; mount --bind /dev/$device /mnt/$device; done
    mkdir /mnt/lxd
    mount --bind "$0" /mnt/lxd
    mount --rbind /mnt /dev
    cd /
    exec /usr/bin/python3 -m cloudinit.sources.DataSourceLXD`;
  const enter = ['-t', String(await daemon.initPid('ci')), '-U', '-p', '-S', '0', '-G', '0', '--'];
  const folder = `${daemon.stateDir}/devlxd`;
  const result = await run('nsenter', [...enter, 'unshare', '-m', 'sh', '-c', script, folder]);
  if (!result.ok) throw new Error(`Debian's cloud-init (apt-get install cloud-init): ${result.failure}`);
  return JSON.parse(result.stdout) as Read;
}

describe("Debian's cloud-init", () => {
  it('reads user-data, vendor-data, network-config, meta-data, devices and keys of its instance', async () => {
    const read = await readAsCloudInit();
    expect(read['user-data']).toBe(USER_DATA);
    expect(read['vendor-data']).toBe(VENDOR_DATA);
    expect(read['network-config']).toBe(NETWORK_CONFIG);
    expect(read['meta-data']).toMatch(/^#cloud-config\ninstance-id: [0-9a-f-]{36}\nlocal-hostname: ci\n$/);
    expect(read.devices).toEqual({ root: { path: '/', pool: 'default', type: 'disk' } });
    expect(read.config['user.role']).toBe('web');
  });

  it('finds SSH keys merged into the user data, and a new instance-id with them', async () => {
    const before = await readAsCloudInit();
    await daemon.must('config', 'set', 'ci', 'cloud-init.ssh-keys.me=root:gh:somebody');
    const after = await readAsCloudInit();
    expect(after['user-data']).toMatch(/ssh_import_id:\s+- gh:somebody/);
    expect(after['user-data']).toContain('packages:');
    expect(after['meta-data']).not.toBe(before['meta-data']);
    expect(Object.keys(after.config)).not.toContain('cloud-init.ssh-keys.me');
  });
});
