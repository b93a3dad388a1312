/** What the kernel says of a running instance; numbers 0 and network null when it is stopped. */
export interface LiveFacts {
  readonly pid: number;
  readonly processes: number;
  /** Nanoseconds. */
  readonly cpuUsage: number;
  /** Bytes. */
  readonly memoryUsage: number;
  readonly memoryPeak: number;
  readonly diskUsage: number | null;
  readonly network: Readonly<Record<string, NetworkInterface>> | null;
  /** Programs that work for it and do not end: a file system of its own does not answer. */
  readonly stuck?: number;
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
