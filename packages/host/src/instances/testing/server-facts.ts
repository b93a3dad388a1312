import type { ServerFacts } from '../../host/backend.ts';

/** What GET /1.0 tells of the server of tests. */
export const SERVER_FACTS: ServerFacts = {
  version: '0.1.0',
  name: 'host1',
  pid: 42,
  stateDir: '/var/lib/porthole',
  driver: 'lxc',
  driverVersion: '5.0.2',
  architecture: 'x86_64',
  kernelVersion: '6.18.0',
  osName: 'Debian',
  osVersion: '12',
  identification: 'pidfd',
  fastLane: () => 'on',
};
