import type { InstanceInfo, InstanceLive } from '../instances/requests.ts';
import type { NetworkInterface } from '../runtimes/contract/live.ts';
import type { InstanceFullJson, InstanceJson, InstanceStateJson, NetworkJson } from '../wire/instance.ts';
import { STATUS_CODES } from '../wire/status.ts';

/** An instance as the API shows it. @param location its member's name; `none` on a single host */
export function instanceJson(
  { instance, expandedConfig, expandedDevices, status }: InstanceInfo,
  location: string,
): InstanceJson {
  return {
    name: instance.name,
    type: 'container',
    architecture: instance.architecture,
    status,
    status_code: STATUS_CODES[status],
    config: instance.config,
    devices: instance.devices,
    expanded_config: expandedConfig,
    expanded_devices: expandedDevices,
    profiles: instance.profiles,
    ephemeral: instance.ephemeral,
    stateful: false,
    description: instance.description,
    created_at: instance.createdAt,
    last_used_at: instance.lastStartedAt,
    location,
    project: 'default',
  };
}

/** An instance with its live state; there are no snapshots or backups. */
export function instanceFullJson(
  info: InstanceInfo,
  location: string,
  live: InstanceLive | null,
): InstanceFullJson {
  return { ...instanceJson(info, location), state: live && stateJson(live), snapshots: null, backups: null };
}

/** The live state of an instance as the API shows it. */
export function stateJson(live: InstanceLive): InstanceStateJson {
  return {
    status: live.status,
    status_code: STATUS_CODES[live.status],
    pid: live.pid,
    processes: live.processes,
    cpu: { usage: live.cpuUsage },
    memory: { usage: live.memoryUsage, usage_peak: live.memoryPeak, swap_usage: 0, swap_usage_peak: 0 },
    disk: diskJson(live),
    network: live.network && networksJson(live.network),
    ...(live.stuck ? { stuck: live.stuck } : {}),
    ...(live.loweredWeight !== undefined ? { lowered_weight: live.loweredWeight } : {}),
  };
}

function diskJson({ diskUsage: usage, diskTotal: total }: InstanceLive): InstanceStateJson['disk'] {
  return usage === null ? {} : { root: { usage, ...(total === undefined ? {} : { total }) } };
}

function networksJson(networks: Readonly<Record<string, NetworkInterface>>): Record<string, NetworkJson> {
  return Object.fromEntries(Object.entries(networks).map(([name, network]) => [name, networkJson(network)]));
}

function networkJson({ hostName, counters, ...network }: NetworkInterface): NetworkJson {
  return {
    ...network,
    host_name: hostName,
    counters: {
      bytes_received: counters.bytesReceived,
      bytes_sent: counters.bytesSent,
      packets_received: counters.packetsReceived,
      packets_sent: counters.packetsSent,
      errors_received: 0,
      errors_sent: 0,
      packets_dropped_outbound: 0,
      packets_dropped_inbound: 0,
    },
  };
}
