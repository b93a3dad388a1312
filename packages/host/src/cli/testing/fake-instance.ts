import type { InstanceFullJson } from '../../wire/instance.ts';

/** A running instance with an address, changed by `part`. */
export function fakeInstance(part: Partial<InstanceFullJson> = {}): InstanceFullJson {
  return {
    name: 'c1',
    type: 'container',
    architecture: 'x86_64',
    status: 'Running',
    status_code: 103,
    config: {},
    devices: {},
    expanded_config: {},
    expanded_devices: {},
    profiles: ['default'],
    ephemeral: false,
    stateful: false,
    description: '',
    created_at: '2026-01-02T03:04:05Z',
    last_used_at: '1970-01-01T00:00:00Z',
    location: 'none',
    project: 'default',
    snapshots: null,
    backups: null,
    state: {
      status: 'Running',
      status_code: 103,
      pid: 42,
      processes: 3,
      cpu: { usage: 2e9 },
      memory: { usage: 446464, usage_peak: 1437696, swap_usage: 0, swap_usage_peak: 0 },
      disk: {},
      network: {
        lo: network('loopback', [['inet', '127.0.0.1', 'local']]),
        eth0: network('broadcast', [
          ['inet', '10.0.0.2', 'global'],
          ['inet6', 'fd00::2', 'global'],
          ['inet6', 'fe80::1', 'link'],
        ]),
      },
    },
    ...part,
  };
}

function network(
  type: string,
  addresses: readonly (readonly [family: string, address: string, scope: string])[],
) {
  return {
    type,
    state: 'up',
    mtu: 1500,
    hwaddr: '00:16:3e:00:00:01',
    host_name: '',
    addresses: addresses.map(([family, address, scope]) => ({ family, address, netmask: '24', scope })),
    counters: {},
  };
}
