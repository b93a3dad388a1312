import { type Entry, readTable } from './netlink.ts';

/** A network interface as the kernel describes it, in the network namespace that this thread is in. */
export interface KernelInterface {
  readonly index: number;
  readonly name: string;
  readonly isLoopback: boolean;
  readonly isUp: boolean;
  readonly mtu: number;
  /** Hardware address, as hexadecimal bytes with colons; empty when there is none. */
  readonly hardwareAddress: string;
  /** Number of its other end, if that is in another network namespace; otherwise null. */
  readonly outerIndex: number | null;
  readonly addresses: readonly KernelAddress[];
  readonly counters: {
    readonly bytesReceived: number;
    readonly bytesSent: number;
    readonly packetsReceived: number;
    readonly packetsSent: number;
  };
}

export interface KernelAddress {
  readonly family: 'inet' | 'inet6';
  readonly address: string;
  readonly prefixLength: number;
  /** As in ip(8): global, link, host, site; a number when it has no name. */
  readonly scope: string;
}

/** A guest can make thousands of interfaces and addresses. Only about the first 190, and 3,000, are read. */
const TABLE_BYTES_MAX = 256 * 1024;

const RTM_GETLINK = 18;
const RTM_GETADDR = 22;
/** struct ifinfomsg: family, type, index, flags, change. */
const LINK_BYTES = 16;
/** struct ifaddrmsg: family, prefix length, flags, scope, index. */
const ADDRESS_BYTES = 8;

/** Attribute numbers; linux/if_link.h and linux/if_addr.h. */
const IFLA = { ADDRESS: 1, IFNAME: 3, MTU: 4, LINK: 5, STATS64: 23, LINK_NETNSID: 37 };
const IFA = { ADDRESS: 1, LOCAL: 2 };

const ARPHRD_LOOPBACK = 772;
const IFF_UP = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const SCOPES = new Map([
  [0, 'global'],
  [200, 'site'],
  [253, 'link'],
  [254, 'host'],
]);

/** The first interfaces of the network namespace that this thread is in, with their first addresses. */
export function readInterfaces(): KernelInterface[] {
  const links = readTable(RTM_GETLINK, LINK_BYTES, TABLE_BYTES_MAX);
  const addresses = readTable(RTM_GETADDR, ADDRESS_BYTES, TABLE_BYTES_MAX);
  const byIndex = Map.groupBy(addresses, ({ fixed }) => fixed.readUInt32LE(4));
  return links.map((link) => interfaceOf(link, byIndex.get(link.fixed.readInt32LE(4)) ?? []));
}

function interfaceOf({ fixed, attributes }: Entry, addresses: readonly Entry[]): KernelInterface {
  const isTied = attributes.has(IFLA.LINK) && attributes.has(IFLA.LINK_NETNSID);
  return {
    index: fixed.readInt32LE(4),
    name: text(attributes.get(IFLA.IFNAME)),
    isLoopback: fixed.readUInt16LE(2) === ARPHRD_LOOPBACK,
    isUp: (fixed.readUInt32LE(8) & IFF_UP) !== 0,
    mtu: attributes.get(IFLA.MTU)?.readUInt32LE(0) ?? 0,
    hardwareAddress:
      attributes
        .get(IFLA.ADDRESS)
        ?.toString('hex')
        .replace(/..(?!$)/g, '$&:') ?? '',
    outerIndex: isTied ? (attributes.get(IFLA.LINK)?.readUInt32LE(0) ?? null) : null,
    addresses: addresses.flatMap(addressOf),
    counters: countersOf(attributes.get(IFLA.STATS64)),
  };
}

/** A name from the kernel, up to its terminating byte. */
function text(bytes: Buffer | undefined): string {
  return bytes?.toString('utf8', 0, bytes.indexOf(0)) ?? '';
}

/** struct rtnl_link_stats64 begins with packets received and sent, bytes received and sent. */
function countersOf(bytes: Buffer | undefined): KernelInterface['counters'] {
  const count = (place: number) => Number(bytes?.readBigUInt64LE(place * 8) ?? 0);
  return {
    bytesReceived: count(2),
    bytesSent: count(3),
    packetsReceived: count(0),
    packetsSent: count(1),
  };
}

function addressOf({ fixed, attributes }: Entry): KernelAddress[] {
  const [family, prefixLength = 0, , scope = 0] = fixed;
  // If both are present, ADDRESS is the address of the other end; if_addr.h.
  const bytes = attributes.get(IFA.LOCAL) ?? attributes.get(IFA.ADDRESS);
  if (!bytes || (family !== AF_INET && family !== AF_INET6)) return [];
  return [
    {
      family: family === AF_INET ? 'inet' : 'inet6',
      address: family === AF_INET ? bytes.join('.') : inet6Text(bytes),
      prefixLength,
      scope: SCOPES.get(scope) ?? String(scope),
    },
  ];
}

/** An IPv6 address in the usual notation, made by the URL parser. */
function inet6Text(bytes: Buffer): string {
  const groups = bytes.toString('hex').replace(/.{4}(?!$)/g, '$&:');
  return new URL(`http://[${groups}]`).hostname.slice(1, -1);
}
