import { readdirSync, readFileSync } from 'node:fs';
import type { InstanceLive, NetworkInterface } from '../../ops/api.ts';
import type { Init } from '../../ops/runtime.ts';
import { run } from '../../process/run.ts';

/** What the kernel says of a container's use of the host, from its cgroups and its network namespace. */
export async function readLive(init: Init): Promise<Omit<InstanceLive, 'status'>> {
  const { pid } = init;
  const groups = cgroupsOf(pid);
  return {
    pid,
    processes: processesIn(groups.get('pids') ?? groups.get('') ?? null),
    cpuUsage: cpuUsage(groups),
    memoryUsage: firstNumber(groups, 'memory', ['memory.usage_in_bytes', 'memory.current']),
    memoryPeak: firstNumber(groups, 'memory', ['memory.max_usage_in_bytes', 'memory.peak']),
    diskUsage: null,
    network: await readNetwork(pid),
  };
}

/**
 * Controller to folder of the container's cgroup; key `` is the unified hierarchy. The part below
 * `lxc.payload.*` is the container's own doing and left out. /proc/PID/cgroup, cgroups(7).
 */
function cgroupsOf(pid: number): Map<string, string> {
  const groups = new Map<string, string>();
  for (const line of readText(`/proc/${pid}/cgroup`).split('\n')) {
    const [, controllers, path] = line.split(':');
    const own = path?.match(/^.*?\/lxc\.payload[^/]*/)?.[0];
    if (controllers === undefined || own === undefined) continue;
    for (const controller of controllers.split(',')) groups.set(controller, folderOf(controller, own));
  }
  return groups;
}

function folderOf(controller: string, path: string): string {
  if (controller !== '') return `/sys/fs/cgroup/${controller.replace('name=', '')}${path}`;
  const hybrid = readText('/sys/fs/cgroup/cgroup.controllers') === '';
  return `/sys/fs/cgroup${hybrid ? '/unified' : ''}${path}`;
}

/** The kernel's own count: walking what a guest may have made would take as long as the guest likes. */
function processesIn(folder: string | null): number {
  return Number(readText(`${folder}/pids.current`) || 0);
}

const NANOSECONDS_PER_MICROSECOND = 1000;

function cpuUsage(groups: Map<string, string>): number {
  const old = readText(`${groups.get('cpuacct')}/cpuacct.usage`);
  if (old !== '') return Number(old);
  const usage = readText(`${groups.get('')}/cpu.stat`).match(/usage_usec (\d+)/)?.[1];
  return Number(usage ?? 0) * NANOSECONDS_PER_MICROSECOND;
}

function firstNumber(groups: Map<string, string>, controller: string, files: readonly string[]): number {
  for (const folder of [groups.get(controller), groups.get('')]) {
    for (const file of files) {
      const text = folder ? readText(`${folder}/${file}`) : '';
      if (text !== '') return Number(text);
    }
  }
  return 0;
}

/** One interface as `ip -json -statistics address` of iproute2 prints it. */
interface IpInterface {
  readonly ifname: string;
  readonly flags: readonly string[];
  readonly mtu: number;
  readonly link_type: string;
  readonly link_index?: number;
  readonly address?: string;
  readonly addr_info: readonly { family: string; local: string; prefixlen: number; scope: string }[];
  readonly stats64?: Readonly<Record<'rx' | 'tx', { bytes: number; packets: number }>>;
}

const IP_TIMEOUT_MS = 5_000;

async function readNetwork(pid: number): Promise<Record<string, NetworkInterface>> {
  const inside = await run('nsenter', ['-t', String(pid), '-n', 'ip', '-json', '-statistics', 'address'], {
    timeoutMs: IP_TIMEOUT_MS,
  });
  if (!inside.ok) return {};
  const host = hostInterfaces();
  const interfaces = parseInterfaces(inside.stdout);
  return Object.fromEntries(
    interfaces.map((each) => [each.ifname, networkInterface(each, host.get(each.link_index ?? -1) ?? '')]),
  );
}

/** A guest may have made more interfaces than are read: then none are shown. */
function parseInterfaces(text: string): IpInterface[] {
  try {
    return JSON.parse(text || '[]') as IpInterface[];
  } catch {
    return [];
  }
}

function networkInterface(each: IpInterface, hostName: string): NetworkInterface {
  return {
    type: each.link_type === 'loopback' ? 'loopback' : 'broadcast',
    state: each.flags.includes('UP') ? 'up' : 'down',
    mtu: each.mtu,
    hwaddr: each.link_type === 'loopback' ? '' : (each.address ?? ''),
    hostName,
    addresses: each.addr_info.map(({ family, local, prefixlen, scope }) => ({
      family: family === 'inet6' ? 'inet6' : 'inet',
      address: local,
      netmask: String(prefixlen),
      scope: scope === 'host' ? 'local' : scope,
    })),
    counters: {
      bytesReceived: each.stats64?.rx.bytes ?? 0,
      bytesSent: each.stats64?.tx.bytes ?? 0,
      packetsReceived: each.stats64?.rx.packets ?? 0,
      packetsSent: each.stats64?.tx.packets ?? 0,
    },
  };
}

function hostInterfaces(): Map<number, string> {
  return new Map(
    entriesOf('/sys/class/net').map((name) => [Number(readText(`/sys/class/net/${name}/ifindex`)), name]),
  );
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
