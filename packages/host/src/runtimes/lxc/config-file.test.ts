import { describe, expect, it } from 'vitest';
import type { RunSpec } from '../contract/runtime.ts';
import { type ConfigInput, configFile } from './config-file.ts';
import { instancePaths } from './paths.ts';
import { limitLines } from './resource-limits.ts';

const spec: RunSpec = {
  id: 5,
  name: 'c1',
  config: {},
  devices: { root: { type: 'disk', path: '/', pool: 'default' } },
  lower: '/s/rootfs/f-1000000',
  devlxd: true,
  namesHost: true,
};

const input: ConfigInput = {
  spec,
  paths: instancePaths('/s/instances', 5),
  ids: { uid: 1_000_000, gid: 2_000_000 },
  mounts: [],
  lxcfs: [],
  openFiles: 5000,
  limits: [],
  cpuWeight: 100,
  deviceNumbers: [],
  stopHook: '/hook',
};

const lines = (change: Partial<ConfigInput>) => configFile({ ...input, ...change }).split('\n');

describe('configFile', () => {
  it('maps ids for an unprivileged instance, and none for a privileged one', () => {
    expect(lines({})).toContain('lxc.idmap = g 0 2000000 65536');
    expect(lines({ ids: null }).join('\n')).not.toMatch(/idmap|userns/);
  });

  it('leaves /proc/sys to the kernel for an unprivileged instance only', () => {
    expect(lines({})).toContain('lxc.mount.auto = proc:rw');
    expect(lines({ ids: null }).join('\n')).not.toContain('proc:rw');
  });

  it('makes the root filesystem an overlay on the unpacked image', () => {
    expect(lines({})).toContain(
      'lxc.rootfs.path = overlayfs:/s/rootfs/f-1000000:/s/instances/5/overlay/upper',
    );
  });

  it('escapes paths so that a blank or line break cannot become an option', () => {
    const mount = { source: '/a b\n', target: '/c\\d', readonly: true, recursive: false, isFolder: true };
    expect(lines({ mounts: [mount] })).toContain(
      'lxc.mount.entry = /a\\040b\\012 c\\134d none bind,ro,create=dir 0 0',
    );
  });

  it("runs only Porthole's hook, no hook of the distribution", () => {
    const hooks = lines({}).filter((line) => line.startsWith('lxc.hook.') && !line.includes('version'));
    expect(hooks).toEqual(['lxc.hook.mount =', 'lxc.hook.post-stop =', 'lxc.hook.post-stop = /hook']);
  });

  it("shows the kernel's folders, read-only to a privileged instance, and then the files of lxcfs", () => {
    const tracing = 'lxc.mount.entry = /sys/kernel/tracing sys/kernel/tracing none';
    expect(lines({ lxcfs: ['of lxcfs'] })).toEqual(
      expect.arrayContaining([`${tracing} rbind,optional 0 0`, 'of lxcfs']),
    );
    expect(lines({ ids: null })).toContain(`${tracing} bind,ro,optional 0 0`);
  });

  it('limits open files to the default, unless a key has a limit', async () => {
    const limit = async (config: Record<string, string>) => {
      const limits = await limitLines({ id: 5, config });
      return lines({ spec: { ...spec, config }, limits }).filter((line) => line.includes('prlimit.nofile'));
    };
    expect(await limit({})).toEqual(['lxc.prlimit.nofile = 5000']);
    expect(await limit({ 'limits.kernel.nofile': '10:20' })).toEqual(['lxc.prlimit.nofile = 10:20']);
  });

  it('has an empty network without nics, and one veth for each nic', () => {
    expect(lines({})).toContain('lxc.net.0.type = empty');
    const devices = {
      eth0: { type: 'nic', nictype: 'bridged', parent: 'br0', name: 'eth0', hwaddr: '00:16:3e:00:00:01' },
      eth1: { type: 'nic', nictype: 'p2p', name: 'eth1', host_name: 'vethx' },
    };
    const text = lines({ spec: { ...spec, devices } });
    expect(text).toContain('lxc.net.0.link = br0');
    expect(text).toContain('lxc.net.1.veth.pair = vethx');
    expect(text.filter((line) => line.endsWith('.type = veth'))).toHaveLength(2);
  });

  it('refuses a value with a line break, which would add lines of configuration', () => {
    const config = { 'environment.A': 'x\nlxc.apparmor.profile = unconfined' };
    expect(() => lines({ spec: { ...spec, config } })).toThrow(/environment\.A has a line break/);
  });

  it('passes limits and environment on, and the lines of raw.lxc last', async () => {
    const config = {
      'environment.A': 'b',
      'limits.processes': '50',
      'limits.kernel.nofile': '100',
      'raw.lxc': 'lxc.environment = LAST=1',
    };
    const limits = await limitLines({ id: 5, config });
    const text = lines({ spec: { ...spec, config }, limits });
    expect(text).toContain('lxc.environment = A=b');
    expect(text.some((line) => /^lxc\.cgroup2?\.pids\.max = 50$/.test(line))).toBe(true);
    expect(text).toContain('lxc.prlimit.nofile = 100');
    expect(text.filter(Boolean).at(-1)).toBe('lxc.environment = LAST=1');
  });
});
