import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canGrow } from '../src/runtimes/lxc/root-image.ts';
import type { InstanceStateJson } from '../src/wire/instance.ts';
import { until } from './harness/api.ts';
import { cycles } from './harness/cycles.ts';
import { LxcClient } from './harness/lxc.ts';
import { Operator } from './harness/operator.ts';
import { leftBelow, mountBtrfs, nothingLeft } from './harness/roots.ts';

const MIB = 2 ** 20;
const PRIVILEGED = { 'security.privileged': 'true' };
const root = (size: string) => ({ root: { type: 'disk', path: '/', pool: 'default', size } });

/** Writes until nothing more fits. */
const FILL = 'cat /dev/urandom > /root/fill; wc -c < /root/fill';

let client: LxcClient;
let operator: Operator;
let scratch: string;
let removeBtrfs = async () => {};

const state = (name: string) => operator.client.get<InstanceStateJson>(`/1.0/instances/${name}/state`);
const stop = (name: string) => operator.state(name, 'stop', { force: true });
const folders = () =>
  readdirSync(join(client.daemon.stateDir, 'instances')).filter((one) => /^\d+$/.test(one));

async function begin(onBtrfs: boolean): Promise<void> {
  scratch = mkdtempSync('/var/tmp/porthole-sizes-');
  client = await LxcClient.start();
  if (onBtrfs) {
    await client.daemon.stop();
    removeBtrfs = await mountBtrfs(client.daemon.stateDir, '1G');
    await client.daemon.start();
    await client.daemon.must('image', 'build', 'busybox');
  }
  operator = new Operator(client.daemon);
}

async function end(): Promise<void> {
  await client?.destroy();
  await removeBtrfs();
  rmSync(scratch, { recursive: true, force: true });
}

const IMAGE = ['an image', false] as const;

describe.each(cycles([IMAGE], [IMAGE, ['a quota of btrfs', true]]))('A root with %s', (_, onBtrfs) => {
  beforeAll(() => begin(onBtrfs));
  afterAll(end);

  it('is full at its size, which other instances do not notice, and takes files again when some are removed', async () => {
    await operator.launch('full', { devices: root('32MiB') });
    await operator.launch('other');
    const { stdout, stderr } = await operator.exec('full', ['sh', '-c', FILL]);
    expect(Number(stdout)).toBeLessThanOrEqual(32 * MIB);
    expect(Number(stdout)).toBeGreaterThan(20 * MIB);
    expect(stderr).toContain(onBtrfs ? 'Disk quota exceeded' : 'No space left on device');
    const more = 'head -c 40000000 /dev/zero > /root/more; wc -c < /root/more';
    expect(await operator.sh('other', more)).toBe('40000000');
    await operator.patch('other', { config: { 'user.a': 'b' } });
    // Also a full root can be written to after a restart, at least to remove something.
    await operator.state('full', 'restart', { force: true });
    await operator.sh('full', 'rm /root/fill; sync; head -c 9000000 /dev/zero > /root/b');
    // A set-user-id program of the instance keeps its effect.
    await operator.sh('full', 'cp /bin/busybox /root/id; chmod 4755 /root/id; sync');
    expect((await operator.exec('full', ['sh', '-c', 'stat -c %a /root/id'])).stdout.trim()).toBe('4755');
  });

  it('shows use and limit to both clients', async () => {
    await operator.sh('full', 'head -c 5000000 /dev/zero > /root/five; sync');
    await until(
      'the use is counted',
      async () => ((await state('full')).disk['root']?.usage ?? 0) > 12_000_000,
    );
    const { disk } = await state('full');
    expect(disk['root']?.total).toBeGreaterThan(24 * MIB);
    expect(disk['root']?.total).toBeLessThanOrEqual(32 * MIB);
    expect((await state('other')).disk).toEqual({});
    expect(await client.daemon.must('info', 'full')).toMatch(
      /Disk usage:\n +root: 1\d\.\d\dMiB of (2\d|3[012])\.\d\dMiB/,
    );
    expect(await client.must('info', 'full')).toMatch(/Disk usage:\n +root: 1\d\.\d\dMiB/);
  });

  it('grows while the instance runs, or says why not', async () => {
    const grow = client.daemon.porthole('config', 'device', 'set', 'full', 'root', 'size=64MiB');
    const { code, stderr } = await grow;
    const can = onBtrfs || canGrow();
    expect([code, stderr]).toEqual(
      can ? [0, ''] : [1, expect.stringContaining('needs the capability CAP_SYS_RESOURCE')],
    );
    if (!can) {
      await stop('full');
      await operator.device('full', 'root', root('64MiB').root);
      await operator.state('full', 'start');
    }
    expect(Number(await operator.sh('full', FILL))).toBeGreaterThan(38 * MIB);
    expect(await operator.sh('full', 'wc -c < /root/five; stat -c %a /root/id')).toBe('5000000\n4755');
  });

  it('shrinks only while the instance is stopped, and only if its files fit', async () => {
    const shrink = (size: string) => operator.device('full', 'root', root(size).root);
    await expect(shrink('32MiB')).rejects.toThrow(
      'The root disk cannot shrink from 64MiB to 32MiB while the instance runs: stop it first',
    );
    await stop('full');
    await shrink('32MiB');
    await expect(operator.state('full', 'start')).rejects.toThrow(
      'The files of the instance do not fit into a root disk of 32MiB',
    );
    await shrink('64MiB');
    await operator.state('full', 'start');
    await operator.sh('full', 'rm /root/fill; sync');
    await stop('full');
    await shrink('32MiB');
    await operator.state('full', 'start');
    expect(Number(await operator.sh('full', FILL))).toBeLessThan(33 * MIB);
    expect(await operator.sh('full', 'wc -c < /root/five; stat -c %a /root/id')).toBe('5000000\n4755');
  });

  it('keeps its files over restarts of instance and daemon, and when the limit is added or removed or the instance becomes privileged', async () => {
    await operator.sh(
      'full',
      'rm /root/fill; rm /etc/passwd; mkdir /root/d; ln /root/five /root/d/link; chown 7:8 /root/d',
    );
    const look = 'ls /etc/passwd 2>/dev/null; stat -c "%u %g %h" /root/d /root/five';
    const before = await operator.sh('full', look);
    await operator.state('full', 'restart', { force: true });
    await client.daemon.kill();
    await client.daemon.start();
    expect(await operator.sh('full', look)).toBe(before);
    for (const part of [
      { devices: { root: null } },
      { config: PRIVILEGED },
      { devices: root('48MiB') },
      { config: { 'security.privileged': 'false' } },
    ]) {
      await stop('full');
      await operator.patch('full', part);
      await operator.state('full', 'start');
      expect(await operator.sh('full', look)).toBe(before);
    }
  });

  it('has files that are pushed before the first start, and can be read while the instance is stopped', async () => {
    const file = join(scratch, 'file');
    writeFileSync(file, 'x'.repeat(1000));
    for (const config of [{}, PRIVILEGED]) {
      await operator.create('pushed', { devices: root('32MiB'), config });
      await client.daemon.must('file', 'push', file, 'pushed/root/file');
      writeFileSync(join(scratch, 'big'), Buffer.alloc(40 * MIB));
      const { code, stderr } = await client.daemon.porthole(
        'file',
        'push',
        join(scratch, 'big'),
        'pushed/root/big',
      );
      expect([code, stderr]).toEqual([1, expect.stringMatching(/no space left|quota exceeded|EDQUOT/i)]);
      await client.daemon.must('file', 'delete', 'pushed/root/big');
      await nothingLeft(join(client.daemon.stateDir, 'instances', folders().at(-1) as string));
      await operator.state('pushed', 'start');
      expect(await operator.sh('pushed', 'wc -c < /root/file; stat -c %u /root/file')).toBe('1000\n0');
      await stop('pushed');
      expect(await client.daemon.must('file', 'pull', 'pushed/root/file', '-')).toHaveLength(1000);
      await operator.delete('pushed');
    }
  });

  it('can come from a profile, also from the default one, and a profile changes it in all its instances or in none', async () => {
    const edit = (devices: object) =>
      operator.client.change('PATCH', '/1.0/profiles/default', { json: { devices } });
    await expect(edit(root('24MiB'))).rejects.toThrow(
      'The root disk cannot get its first limit while the instance runs: stop it first (instance other)',
    );
    await stop('other');
    await operator.delete('other');
    await edit(root('24MiB'));
    for (const name of ['u1', 'u2']) await operator.launch(name);
    expect(Number(await operator.sh('u2', FILL))).toBeLessThan(24 * MIB);
    await expect(edit(root('20MiB'))).rejects.toThrow('stop it first (instance u1)');
    if (onBtrfs || canGrow()) {
      await edit(root('40MiB'));
      expect(Number(await operator.sh('u2', FILL))).toBeGreaterThan(26 * MIB);
    }
    for (const name of ['u1', 'u2']) await stop(name);
    await edit({ root: { type: 'disk', path: '/', pool: 'default' } });
  });

  it('is gone after a delete, with its mounts and loop devices', async () => {
    for (const name of ['u1', 'u2']) await operator.delete(name);
    await stop('full');
    await operator.delete('full');
    expect(folders()).toEqual([]);
    await nothingLeft(join(client.daemon.stateDir, 'instances'));
  });

  it('is put in order after a daemon was killed during a start, or while files were moved', async () => {
    const instances = join(client.daemon.stateDir, 'instances');
    await operator.launch('cut');
    await operator.sh(
      'cut',
      'head -c 20000000 /dev/urandom > /root/data; md5sum /root/data > /root/sum; sync',
    );
    for (const [size, moment] of [
      ['40MiB', () => existsSync(join(instances, folders()[0] as string, 'overlay.new'))],
      ['44MiB', () => existsSync(join(instances, folders()[0] as string, 'starting'))],
    ] as const) {
      await stop('cut').catch(() => {});
      await operator.device('cut', 'root', root(size).root);
      const started = operator.state('cut', 'start').catch(() => {});
      await until('the moment has come', moment);
      await client.daemon.kill();
      await started;
      await client.daemon.start();
      await until('it is known', async () =>
        /Running|Stopped/.test((await operator.statuses())['cut'] ?? ''),
      );
      await operator.state('cut', 'start').catch(() => {});
      expect(await operator.sh('cut', 'md5sum -c /root/sum; sync')).toContain('OK');
      expect((await leftBelow(instances)).filter((one) => one.endsWith('/overlay'))).toEqual([]);
    }
    await stop('cut');
    await operator.delete('cut');
    await nothingLeft(instances);
  });
});
