/**
 * Facts from the kernel about an instance. When it is stopped, numbers are 0 and `network` is null. So are those that
 * would be about other processes of the host too, of an adopted instance.
 */
export interface LiveFacts {
  readonly pid: number;
  readonly processes: number;
  /** Nanoseconds. */
  readonly cpuUsage: number;
  /** Bytes. */
  readonly memoryUsage: number;
  readonly memoryPeak: number;
  /** What it has written into its root; null when it is unknown. */
  readonly diskUsage: number | null;
  /** The most that it can write into its root; absent without a limit. */
  readonly diskTotal?: number;
  readonly network: Readonly<Record<string, NetworkInterface>> | null;
  /** Hung programs that work for the instance: one of its file systems does not answer. */
  readonly stuck?: number;
  /** Its weight, in percent of the usual one, while it is lowered because of a fork storm. */
  readonly loweredWeight?: number;
}

export interface NetworkInterface {
  readonly type: string;
  readonly state: string;
  readonly mtu: number;
  readonly hwaddr: string;
  readonly hostName: string;
  readonly addresses: readonly {
    family: 'inet' | 'inet6';
    address: string;
    netmask: string;
    scope: string;
  }[];
  readonly counters: {
    bytesReceived: number;
    bytesSent: number;
    packetsReceived: number;
    packetsSent: number;
  };
}
