import type { ServerFacts } from '../../host/backend.ts';

/** The facts that GET /1.0 shows in tests. */
export const SERVER_FACTS: ServerFacts = {
  version: '0.1.0',
  name: 'host1',
  pid: 42,
  stateDir: '/var/lib/porthole',
  driver: 'lxc',
  driverVersion: async () => '5.0.2',
  architecture: 'x86_64',
  kernelVersion: '6.18.0',
  osName: 'Debian',
  osVersion: '12',
  identification: 'pidfd',
  bridges: async () => ['br0', 'br1'],
  fastLane: () => 'on',
  lxcfs: async () => 'on',
  machines: () => ['web'],
};
