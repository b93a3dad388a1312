import { printableLine } from '../base/printable.ts';
import { isAdopted } from '../core/adopted.ts';
import { containerOf } from '../core/container.ts';
import type { BackupStateJson } from '../wire/backup.ts';
import type { FleetStateJson } from '../wire/cluster.ts';
import type { InstanceFullJson, InstanceStateJson, NetworkJson } from '../wire/instance.ts';
import type { ServerJson } from '../wire/server.ts';
import { isInFleet } from './location.ts';
import { formatBytes, formatMemory, formatTime } from './text.ts';

const NANOSECONDS = 1e9;

/** The output of `porthole info` about the daemon. */
export function describeServer(server: ServerJson): string {
  const { environment, porthole } = server;
  return lines([
    `Server: ${environment['server']} ${porthole.version}`,
    `Host: ${environment['server_name']} (${environment['os_name']} ${environment['os_version']}, Linux ${environment['kernel_version']}, ${environment['kernel_architecture']})`,
    `PID: ${environment['server_pid']}`,
    `State directory: ${porthole.state_dir}`,
    `Runtime: ${environment['driver']} ${environment['driver_version']}`,
    `Callers identified by: ${IDENTIFICATION[porthole.identification] ?? porthole.identification}`,
    `Fast lane: ${FAST_LANE[porthole.fast_lane] ?? porthole.fast_lane}`,
    `Memory, processors and uptime of instances: ${LXCFS[porthole.lxcfs] ?? porthole.lxcfs}`,
    ...(porthole.machines?.length ? [`Machines that are set up: ${porthole.machines.join(', ')}`] : []),
    // A daemon of an earlier version has none.
    ...(porthole.backups ? describeBackups(porthole.backups) : []),
    ...(porthole.fleet ? describeFleet(porthole.fleet) : []),
    `API: ${server.api_version} (${server.api_status}), ${server.api_extensions.length} extensions`,
    ...(Object.keys(server.config).length > 0 ? ['Config:'] : []),
    ...Object.entries(server.config).map(([key, value]) => `  ${key}: ${value}`),
  ]);
}

function describeBackups({ folder, minutes, count, failure }: BackupStateJson): string[] {
  const often = minutes === 0 ? 'only when asked' : `every ${minutes} minutes`;
  return [
    `Copies of the database: ${often}, at most ${count}, in ${folder}`,
    ...(failure ? [`The last copy FAILED on ${formatTime(failure.at)}: ${failure.reason}`] : []),
  ];
}

function describeFleet({ member, members, offline, cut_off_since: since, notice }: FleetStateJson): string[] {
  const stateOf = (name: string) => (offline.includes(name) ? `${name} (OFFLINE)` : name);
  return [
    ...(notice === null ? [] : [`Fleet: ${notice}`]),
    ...(member === null ? [] : [`Fleet: member ${member} of ${members.map(stateOf).join(', ')}`]),
    ...(since === null ? [] : [`CUT OFF from the fleet since ${formatTime(since)}: it does not reach etcd`]),
  ];
}

const FAST_LANE: Readonly<Record<string, string>> = {
  on: 'on',
  off: 'off (by the settings)',
  unsupported: 'off (callers are not recognised by pidfd here)',
  failed: 'off (it has failed; see the log)',
};

const LXCFS: Readonly<Record<string, string>> = {
  on: 'their own (by lxcfs)',
  off: "the host's (lxcfs is off by the settings)",
  absent: "the host's (no lxcfs is mounted: apt-get install lxcfs)",
  failed: "the host's, from the next start on (lxcfs does not answer)",
};

const IDENTIFICATION: Readonly<Record<string, string>> = {
  pidfd: 'pidfd (the kernel gives a descriptor of the process)',
  'pidfd-proc': 'pidfd-proc (the kernel gives a descriptor of the process, /proc its namespace)',
  proc: 'proc (by pid through /proc: a reused pid may be mistaken for another, see docs/security.md)',
};

const STUCK = 'programs of the daemon do not end: a file system of the instance does not answer';

const storm = (percent: number) =>
  `its weight on busy processors is ${percent} % of the usual one until it no longer begins thousands of processes a second`;

/** The output of `porthole info NAME`. */
export function describeInstance(instance: InstanceFullJson): string {
  const { state } = instance;
  return lines([
    `Name: ${instance.name}`,
    ...(instance.description ? [`Description: ${instance.description}`] : []),
    `Status: ${instance.status.toUpperCase()}`,
    `Type: ${instance.type}${instance.ephemeral ? ' (ephemeral)' : ''}`,
    `Architecture: ${instance.architecture}`,
    ...(isInFleet(instance) ? [`Location: ${instance.location}`] : []),
    ...(state?.pid ? [`PID: ${state.pid}`] : []),
    `Profiles: ${instance.profiles.join(', ') || 'none'}`,
    `Created: ${formatTime(instance.created_at)}`,
    `Last Used: ${formatTime(instance.last_used_at) || 'never'}`,
    ...describeContainer(instance),
    ...(state?.stuck ? [`Stuck: ${state.stuck} ${STUCK}`] : []),
    ...(state?.lowered_weight !== undefined ? [`Fork storm: ${storm(state.lowered_weight)}`] : []),
    ...(state?.pid ? describeState(state) : []),
  ]);
}

/** Which container of another runtime an adopted instance is. */
function describeContainer({ config }: InstanceFullJson): string[] {
  const container = containerOf(config);
  if (!container) return isAdopted(config) ? ['Container: of another runtime, adopted by its pid'] : [];
  const { runtime, id, name, image, digest, labels } = container;
  const texts = { Runtime: runtime, ID: id, Name: name, Image: image, Digest: digest };
  const told = Object.entries(texts).filter(([, text]) => text !== '');
  const marks = Object.entries(labels);
  return [
    'Container:',
    ...told.map(([what, text]) => `  ${what}: ${text}`),
    ...(marks.length > 0 ? ['  Labels:'] : []),
    ...marks.map(([key, value]) => `    ${key}: ${value}`),
  ];
}

function describeState(state: InstanceStateJson): string[] {
  const disk = state.disk['root'];
  const limit = disk?.total === undefined ? '' : ` of ${formatMemory(disk.total)}`;
  return [
    '',
    'Resources:',
    `  Processes: ${state.processes}`,
    ...(disk ? ['  Disk usage:', `    root: ${formatMemory(disk.usage)}${limit}`] : []),
    '  CPU usage:',
    `    CPU usage (in seconds): ${Math.floor(state.cpu.usage / NANOSECONDS)}`,
    '  Memory usage:',
    `    Memory (current): ${formatMemory(state.memory.usage)}`,
    `    Memory (peak): ${formatMemory(state.memory.usage_peak)}`,
    ...(state.network ? ['  Network usage:'] : []),
    ...Object.entries(state.network ?? {}).flatMap(([name, network]) => describeNetwork(name, network)),
  ];
}

function describeNetwork(name: string, network: NetworkJson): string[] {
  const { counters } = network;
  return [
    `    ${name}:`,
    `      Type: ${network.type}`,
    `      State: ${network.state.toUpperCase()}`,
    ...(network.host_name ? [`      Host interface: ${network.host_name}`] : []),
    ...(network.hwaddr ? [`      MAC address: ${network.hwaddr}`] : []),
    `      MTU: ${network.mtu}`,
    `      Bytes received: ${formatBytes(counters['bytes_received'] ?? 0)}`,
    `      Bytes sent: ${formatBytes(counters['bytes_sent'] ?? 0)}`,
    `      Packets received: ${counters['packets_received'] ?? 0}`,
    `      Packets sent: ${counters['packets_sent'] ?? 0}`,
    ...(network.addresses.length > 0 ? ['      IP addresses:'] : []),
    ...network.addresses.map((one) => `        ${one.family}:  ${one.address}/${one.netmask} (${one.scope})`),
  ];
}

function lines(all: readonly string[]): string {
  return all.map(printableLine).join('\n');
}
