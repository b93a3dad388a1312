import type { LiveFacts } from '../../runtimes/contract/live.ts';

/** The live facts of every fake instance, without its pid. */
export const LIVE_FACTS: Omit<LiveFacts, 'pid'> = {
  processes: 2,
  cpuUsage: 24_005_998,
  memoryUsage: 446_464,
  memoryPeak: 1_437_696,
  diskUsage: null,
  network: {
    eth0: {
      type: 'broadcast',
      state: 'up',
      mtu: 1500,
      hwaddr: '00:16:3e:00:00:01',
      hostName: 'veth0',
      addresses: [{ family: 'inet', address: '10.0.0.2', netmask: '24', scope: 'global' }],
      counters: { bytesReceived: 1, bytesSent: 2, packetsReceived: 3, packetsSent: 4 },
    },
  },
};
