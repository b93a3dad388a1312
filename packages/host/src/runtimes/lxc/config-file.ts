import { existsSync, readFileSync } from 'node:fs';
import { isTrue } from '../../core/booleans.ts';
import type { Config, Device } from '../../core/entities.ts';
import { hostError } from '../../core/host-errors.ts';
import { IDS_PER_INSTANCE } from '../../core/host-ids.ts';
import type { RunSpec } from '../contract/runtime.ts';
import { hostNamesLine } from './host-names.ts';
import type { IdRanges } from './ids.ts';
import { kernelMountLines, type MountEntry, mountLine } from './mount-lines.ts';
import type { InstancePaths } from './paths.ts';
import { weightLines } from './resource-limits.ts';

const SHARED = '/usr/share/lxc/config';

/** What is kept of an instance's console: this much up to twice as much. A power of two. */
const CONSOLE_LOG_KIB = 128;

/** The input for the configuration of one run. */
export interface ConfigInput {
  readonly spec: RunSpec;
  readonly paths: InstancePaths;
  /** null: the instance is privileged. */
  readonly ids: IdRanges | null;
  readonly mounts: readonly MountEntry[];
  /** Lines that mount the files of lxcfs. */
  readonly lxcfs: readonly string[];
  /** Files that each process inside may have open, unless `limits.kernel.nofile` says another number. */
  readonly openFiles: number;
  /** Lines of its limits. */
  readonly limits: readonly string[];
  /** Weight on a busy processor, in percent of the usual weight of a cgroup. */
  readonly cpuWeight: number;
  /** Device numbers that a privileged instance may use, such as `c 10:200`. */
  readonly deviceNumbers: readonly string[];
  /** Program that LXC runs at the end of a run. */
  readonly stopHook: string;
}

/** The text of LXC's configuration file for a run; lxc.container.conf(5). */
export function configFile(input: ConfigInput): string {
  const { spec, paths } = input;
  const lines = [
    ...includes(input),
    `lxc.uts.name = ${spec.name}`,
    `lxc.log.file = ${paths.log}`,
    'lxc.log.level = WARN',
    'lxc.tty.max = 0',
    `lxc.console.logfile = ${paths.console[1]}`,
    // A full file becomes the older one of two, so an instance can never fill the disk.
    `lxc.console.size = ${CONSOLE_LOG_KIB}KB`,
    'lxc.console.rotate = 1',
    'lxc.hook.version = 1',
    // Removes the hooks of included files. Where lxcfs is installed, its hooks make every stop half a second longer,
    // and every start wait for an lxcfs that hangs.
    'lxc.hook.mount =',
    'lxc.hook.post-stop =',
    `lxc.hook.post-stop = ${input.stopHook}`,
    `lxc.rootfs.path = overlayfs:${spec.lower}:${paths.upper}`,
    ...(input.ids ? ['lxc.rootfs.options = userxattr'] : []),
    ...kernelMountLines(input.ids === null),
    ...input.lxcfs,
    ...input.mounts.map(mountLine),
    hostNamesLine(spec.devices),
    ...networkLines(spec),
    ...openFilesLines(input),
    ...input.limits,
    ...weightLines(input.cpuWeight),
    ...input.deviceNumbers.flatMap((numbers) => deviceLines(numbers)),
    ...prefixed(spec.config, 'environment.', (key, value) => `lxc.environment = ${key}=${value}`),
    ...prefixed(spec.config, 'linux.sysctl.', (key, value) => `lxc.sysctl.${key} = ${value}`),
    // Last and unchanged, so that the operator's lines win.
    spec.config['raw.lxc'] ?? '',
  ];
  return `${lines.join('\n')}\n`;
}

function includes({ spec, ids }: ConfigInput): string[] {
  const nesting = isTrue(spec.config['security.nesting'], false);
  return [
    `lxc.include = ${SHARED}/common.conf`,
    ...(ids
      ? [
          `lxc.include = ${SHARED}/userns.conf`,
          // As in LXD, /proc/sys is writable: the kernel asks the user namespace. Else linux.sysctl.kernel.shmmax, which
          // LXC sets after the mounts, would keep the instance from starting.
          'lxc.mount.auto = proc:rw',
          `lxc.idmap = u 0 ${ids.uid} ${IDS_PER_INSTANCE}`,
          `lxc.idmap = g 0 ${ids.gid} ${IDS_PER_INSTANCE}`,
        ]
      : []),
    ...(nesting ? [`lxc.include = ${SHARED}/nesting.conf`] : []),
    ...(appArmorIsOn()
      ? ['lxc.apparmor.profile = generated', `lxc.apparmor.allow_nesting = ${nesting ? 1 : 0}`]
      : ['lxc.apparmor.profile = unconfined']),
  ];
}

function appArmorIsOn(): boolean {
  const file = '/sys/module/apparmor/parameters/enabled';
  return existsSync(file) && readFileSync(file, 'utf8').trim() === 'Y';
}

function openFilesLines({ spec, openFiles }: ConfigInput): string[] {
  return spec.config['limits.kernel.nofile'] ? [] : [`lxc.prlimit.nofile = ${openFiles}`];
}

function networkLines(spec: RunSpec): string[] {
  const nics = Object.values(spec.devices).filter((device) => device['type'] === 'nic');
  if (nics.length === 0) return ['lxc.net.0.type = empty'];
  return nics.flatMap((device, index) => nicLines(`lxc.net.${index}`, device));
}

function nicLines(net: string, device: Device): string[] {
  const optional = (key: string, value: string | undefined) => (value ? [`${net}.${key} = ${value}`] : []);
  return [
    `${net}.type = veth`,
    `${net}.flags = up`,
    ...optional('link', device['parent']),
    ...optional('name', device['name']),
    ...optional('hwaddr', device['hwaddr']),
    ...optional('mtu', device['mtu']),
    ...optional('veth.pair', device['host_name']),
  ];
}

function deviceLines(numbers: string): string[] {
  return [`lxc.cgroup.devices.allow = ${numbers} rwm`, `lxc.cgroup2.devices.allow = ${numbers} rwm`];
}

function prefixed(config: Config, prefix: string, line: (key: string, value: string) => string): string[] {
  return Object.entries(config)
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, value]) => {
      // A line break would let the value add lines of configuration.
      if (/[\r\n]/.test(value)) throw hostError('runtime-failed', `The value of ${key} has a line break`);
      return line(key.slice(prefix.length), value);
    });
}
