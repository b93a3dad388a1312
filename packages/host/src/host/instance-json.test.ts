import { expect, it } from 'vitest';
import type { InstanceLive } from '../instances/requests.ts';
import { stateJson } from './instance-json.ts';

const LIVE: InstanceLive = {
  ...{ status: 'Running', pid: 42, processes: 3, cpuUsage: 1, memoryUsage: 2, memoryPeak: 3 },
  ...{ diskUsage: null, network: null },
};

it('The state of an instance has its lowered weight, also 0, and nothing of it while it has its own', () => {
  expect(stateJson({ ...LIVE, loweredWeight: 5 }).lowered_weight).toBe(5);
  expect(stateJson(LIVE)).not.toHaveProperty('lowered_weight');
});
