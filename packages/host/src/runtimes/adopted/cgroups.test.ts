import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Container } from '../../core/container.ts';
import { readUsage } from '../kernel/usage.ts';
import { containerPath, ownCgroups } from './cgroups.ts';

const ID = 'ab'.repeat(32);
const container = (runtime: Container['runtime'], id = ID, name = 'web'): Container => ({
  ...{ runtime, id, name, image: '', digest: '', labels: {}, owner: '', record: '' },
});

/** The container's processes; all others are of the host. */
const INSIDE = [100, 101];
const SELF = '/system.slice/porthole.service';

const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true });
});

/** @param files of the file systems of cgroups, by path @param init text of /proc/PID/cgroup */
async function usageOf(
  files: Readonly<Record<string, string>>,
  init: string,
  whose: Container | null,
  self = `0::${SELF}`,
) {
  const root = mkdtempSync(join(tmpdir(), 'porthole-adopted-'));
  roots.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const isInside = (pid: number) => INSIDE.includes(pid);
  const { processes, memoryUsage, memoryPeak, cpuUsage } = readUsage(
    await ownCgroups(whose, { root, init, self, isInside }),
  );
  return [processes, memoryUsage, memoryPeak, cpuUsage];
}

const v2 = (folder: string, procs = '100\n') => ({
  'cgroup.controllers': 'cpuset cpu io memory hugetlb pids rdma misc\n',
  [`${folder}/cgroup.procs`]: procs,
  [`${folder}/pids.current`]: '2\n',
  [`${folder}/memory.current`]: '4096\n',
  [`${folder}/memory.peak`]: '8192\n',
  [`${folder}/cpu.stat`]: 'usage_usec 3000\nuser_usec 2000\nsystem_usec 1000\n',
});
const V2_USAGE = [2, 4096, 8192, 3_000_000];

const v1 = (folder: string, procs = '100\n') => ({
  ...Object.fromEntries(['pids', 'memory', 'cpuacct'].map((it) => [`${it}${folder}/cgroup.procs`, procs])),
  [`pids${folder}/pids.current`]: '2\n',
  [`memory${folder}/memory.usage_in_bytes`]: '4096\n',
  [`memory${folder}/memory.max_usage_in_bytes`]: '8192\n',
  [`cpuacct${folder}/cpuacct.usage`]: '5000\n',
});
const V1_USAGE = [2, 4096, 8192, 5000];
const v1Lines = (folder: string) =>
  [
    `12:pids:${folder}`,
    `6:memory:${folder}`,
    `4:cpu,cpuacct:${folder}`,
    `1:name=systemd:${folder}/init.scope`,
  ].join('\n');

describe('the usage of a container', () => {
  const scope = `/machine.slice/libpod-${ID}.scope`;

  it('is that of its whole cgroup, when a systemd inside has moved below it', async () => {
    const init = `0::${scope}/container/init.scope\n`;
    expect(await usageOf(v2(scope), init, container('podman'))).toEqual(V2_USAGE);
  });

  it('comes from the old hierarchies', async () => {
    expect(await usageOf(v1(`/docker/${ID}`), v1Lines(`/docker/${ID}`), container('docker'))).toEqual(
      V1_USAGE,
    );
  });

  it('comes from both kinds of hierarchies on a hybrid host', async () => {
    const { [`cpuacct${scope}/cpuacct.usage`]: _none, ...old } = v1(scope);
    const files = { ...old, [`unified${scope}/cpu.stat`]: 'usage_usec 7\n' };
    const init = `5:memory:${scope}\n4:pids:${scope}\n3:cpuacct:/\n0::${scope}/init.scope\n`;
    expect(await usageOf(files, init, container('podman'))).toEqual([2, 4096, 8192, 7000]);
  });

  it.each([
    ['in the root cgroup', '0::/\n'],
    ['in a cgroup outside the root that the daemon sees', `0::/../docker-${ID}.scope\n`],
  ])('is not known %s', async (_where, init) => {
    for (const whose of [null, container('docker')])
      expect(await usageOf(v2(''), init, whose)).toEqual([0, 0, 0, 0]);
  });

  it('is that of a cgroup with another name, if only the container’s processes are in it', async () => {
    const inner = v2('/apps/web/init', '101\n');
    const files = { ...inner, ...v2('/apps/web') };
    expect(await usageOf(files, '0::/apps/web/init.scope\n', null)).toEqual(V2_USAGE);
    expect(await usageOf(files, '0::/apps/web/init\n', container('oci', 'other'))).toEqual(V2_USAGE);
  });

  it.each<[string, Record<string, string>]>([
    ['another process is in it', v2('/apps/web', '100\n7\n')],
    ['another process is below it', { ...v2('/apps/web/a/b', '7\n'), ...v2('/apps/web') }],
    ['it has a process that cannot be seen', v2('/apps/web', '0\n100\n')],
    ['it has too many processes', v2('/apps/web', '100\n'.repeat(1025))],
    ['its list of processes is too long', v2('/apps/web', '100\n'.repeat(5000))],
    [
      'it has too many cgroups',
      Object.assign({}, v2('/apps/web'), ...Array.from({ length: 64 }, (_, i) => v2(`/apps/web/${i}`, ''))),
    ],
  ])('is not known when %s', async (_what, files) => {
    expect(await usageOf(files, '0::/apps/web\n', null)).toEqual([0, 0, 0, 0]);
    expect(await usageOf(files, '0::/apps/web\n', container('oci', 'web'))).toEqual([0, 0, 0, 0]);
  });

  it('is not known when the daemon is in the same cgroup', async () => {
    const files = v2(`/docker/${ID}`);
    expect(await usageOf(files, `0::/docker/${ID}\n`, null, `0::/docker/${ID}/porthole`)).toEqual([
      0, 0, 0, 0,
    ]);
    expect(await usageOf(files, `0::/docker/${ID}\n`, null, `0::/docker/${ID}0`)).toEqual(V2_USAGE);
  });

  it('is known for some hierarchies if it is unknown for others', async () => {
    const files = { ...v1('/apps/web'), 'memory/shared/cgroup.procs': '100\n7\n' };
    const init = '3:pids:/apps/web\n2:memory:/shared\n1:cpu,cpuacct:/\n';
    expect(await usageOf(files, init, null)).toEqual([2, 0, 0, 0]);
  });
});

describe('the cgroup of a container', () => {
  it.each<[string, Container, string]>([
    [`/machine.slice/libpod-${ID}.scope/container`, container('podman'), `/machine.slice/libpod-${ID}.scope`],
    [`/libpod_parent/libpod-${ID}`, container('podman'), `/libpod_parent/libpod-${ID}`],
    [
      `/system.slice/w.service/libpod-payload-${ID}`,
      container('podman'),
      `/system.slice/w.service/libpod-payload-${ID}`,
    ],
    [`/system.slice/docker-${ID}.scope/init.scope`, container('docker'), `/system.slice/docker-${ID}.scope`],
    [`/docker/${ID}/docker/${'cd'.repeat(32)}`, container('docker'), `/docker/${ID}`],
    [
      '/machine.slice/machine-web\\x2d1.scope/payload/init.scope',
      container('nspawn'),
      '/machine.slice/machine-web\\x2d1.scope/payload',
    ],
    [
      '/machine.slice/systemd-nspawn@web.service/payload',
      container('nspawn'),
      '/machine.slice/systemd-nspawn@web.service/payload',
    ],
    ['/machine.slice/machine-web.scope', container('nspawn'), '/machine.slice/machine-web.scope'],
    ['/lxc.payload.web/init.scope', container('lxc'), '/lxc.payload.web'],
    ['/user.slice/lxc.payload.web-2/lxc.payload.web', container('lxc'), '/user.slice/lxc.payload.web-2'],
  ])('is found in %s', (path, whose, expected) => {
    expect(containerPath(path, whose)).toEqual({ path: expected, certain: true });
    if (!path.includes(ID) || !path.includes('cd')) return;
    expect(containerPath(path, null)).toEqual({ path, certain: true });
  });

  it.each([
    ['/user.slice/runc-web.scope/init', '/user.slice/runc-web.scope'],
    ['/web/init.scope', '/web'],
    ['/elsewhere/init.scope', '/elsewhere'],
  ])('has to be checked when its name proves nothing: %s', (path, expected) => {
    expect(containerPath(path, container('oci', 'web'))).toEqual({ path: expected, certain: false });
  });

  it.each(['/', '/init.scope', '/../a', ''])('is unknown for %j', (path) => {
    expect(containerPath(path, null)).toBeNull();
  });
});
