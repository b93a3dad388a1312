import { Places } from '../../base/places.ts';
import { interfaceName } from '../../native/interface-name.ts';
import { run } from '../../process/run.ts';
import type { LiveFacts, NetworkInterface } from '../contract/live.ts';
import type { Init } from '../contract/runtime.ts';
import { cgroupsOf, readText } from './cgroups.ts';

/** What the kernel says of a container's use of the host, from its cgroups and its network namespace. */
export async function readLive(init: Init): Promise<LiveFacts> {
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
  /** Number of its other end, in the network namespace of that. */
  readonly link_index?: number;
  /** There when the other end is in another network namespace. */
  readonly link_netnsid?: number;
  readonly address?: string;
  readonly addr_info: readonly { family: string; local: string; prefixlen: number; scope: string }[];
  readonly stats64?: Readonly<Record<'rx' | 'tx', { bytes: number; packets: number }>>;
}

const IP_TIMEOUT_MS = 5_000;
/** Each question costs the host a program, and a list of instances asks one for each. */
const QUESTIONS_AT_ONCE = 4;

/** Interfaces of one instance whose other end is looked up: a guest can have made thousands, the nics are the first. */
const NAMED_MAX = 16;

const questions = new Places(QUESTIONS_AT_ONCE);

async function readNetwork(pid: number): Promise<Record<string, NetworkInterface>> {
  const args = ['-t', String(pid), '-n', 'ip', '-json', '-statistics', 'address'];
  const inside = await questions.use(() => run('nsenter', args, { timeoutMs: IP_TIMEOUT_MS }));
  if (!inside.ok) return {};
  const interfaces = parseInterfaces(inside.stdout);
  const outside = interfaces.filter(isTied).slice(0, NAMED_MAX);
  const named = new Map(outside.map((each) => [each, interfaceName(each.link_index ?? 0)]));
  return Object.fromEntries(
    interfaces.map((each) => [each.ifname, networkInterface(each, named.get(each) ?? '')]),
  );
}

/** Its other end is in another network namespace: the host's, for a nic. */
function isTied({ link_index: index, link_netnsid: namespace }: IpInterface): boolean {
  return index !== undefined && namespace !== undefined;
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
