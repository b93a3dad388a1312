import { chmodSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Bench, Peers } from './bench.ts';
import type { Part } from './figures.ts';
import { LoadTools } from './load/load-tools.ts';
import { measureChurn } from './measures/churn.ts';
import { measureCrowds } from './measures/crowds.ts';
import { measureEvents } from './measures/events.ts';
import { measureExport } from './measures/export.ts';
import { measureFleet } from './measures/fleet.ts';
import { measureGrowth } from './measures/growth.ts';
import { measureHooks } from './measures/hooks.ts';
import { measureInstalled } from './measures/installed.ts';
import { measureKeepAlive } from './measures/keep-alive.ts';
import { measureLaunch } from './measures/launch.ts';
import { measureListeners } from './measures/listeners.ts';
import { measureMemory } from './measures/memory.ts';
import { measureNeighbours } from './measures/neighbours.ts';
import { measureRestarts } from './measures/restarts.ts';
import { measureStartUp } from './measures/start-up.ts';
import { measureStoppedListener } from './measures/stopped-listener.ts';
import { measureStorm } from './measures/storm.ts';
import { type Population, populate } from './peers/population.ts';
import { startPeers } from './peers/start.ts';

/**
 * Others must be able to search every folder on the path to a root filesystem, and /tmp may not allow that.
 */
const TEMPORARY = '/var/tmp/porthole-bench-';

/** All measurements, in order. Those without thousands of instances come first. */
const MEASURES: readonly (readonly [Part, (bench: Bench) => Promise<void>])[] = [
  ['a', measureKeepAlive],
  ['b', measureChurn],
  ['d', measureEvents],
  ['e', measureExport],
  ['h', measureLaunch],
  ['c', measureStorm],
  ['d', measureListeners],
  ['g', measureGrowth],
  ['h', measureStartUp],
  ['d', measureStoppedListener],
  ['m', measureMemory],
  ['l', measureInstalled],
  ['k', measureCrowds],
  ['f', measureFleet],
  ['o', measureRestarts],
  ['p', measureHooks],
  ['n', measureNeighbours],
];

/**
 * Runs all measurements of the plan. Starts servers when a measurement needs them, and ends them in any case.
 */
export async function runAll(bench: Pick<Bench, 'plan' | 'results' | 'say' | 'signal'>): Promise<void> {
  const { plan, say, signal } = bench;
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(TEMPORARY);
  chmodSync(folder, 0o755);
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const tools = await LoadTools.build(folder, signal);
  const populations = new Map<number, Promise<Population>>();
  let peers: Promise<Peers> | undefined;
  const full: Bench = {
    ...bench,
    folder,
    tools,
    peers: () => (peers ??= startPeers({ ...bench, folder }, stack)),
    population: (size) => {
      const found = populations.get(size) ?? startPopulation(size);
      populations.set(size, found);
      return found;
    },
  };
  for (const [part, measure] of MEASURES) if (plan.parts.includes(part)) await measure(full);
  say('cleaning up');

  async function startPopulation(size: number): Promise<Population> {
    say(`starting a daemon with ${size} instances`);
    return stack.use(await populate({ folder, tools, plan, signal }, size));
  }
}
