import { chmodSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Bench } from './bench.ts';
import type { Part } from './figures.ts';
import { describeMachine } from './frame/machine.ts';
import { Results } from './frame/results.ts';
import { LoadTools } from './load/load-tools.ts';
import { measureChurn } from './measures/churn.ts';
import { measureEvents } from './measures/events.ts';
import { measureExport } from './measures/export.ts';
import { measureKeepAlive } from './measures/keep-alive.ts';
import { measureLaunch } from './measures/lifecycle.ts';
import { startPeers } from './peers/start.ts';
import { HELP, type Plan, planOf } from './plan.ts';
import { reportLines, writeReport } from './report.ts';

/** Every folder on the way to a root filesystem must be searchable by others, which /tmp may not be. */
const TEMPORARY = '/var/tmp/porthole-bench-';

const MEASURES: Readonly<Record<Part, (bench: Bench) => Promise<void>>> = {
  a: measureKeepAlive,
  b: measureChurn,
  d: measureEvents,
  e: measureExport,
  h: measureLaunch,
};

process.exitCode = await main();

async function main(): Promise<number> {
  const interrupted = firstSignal();
  try {
    const plan = planOf(process.argv.slice(2));
    if (plan) await bench(plan, interrupted);
    else process.stdout.write(HELP);
    return 0;
  } catch (error) {
    if (interrupted.aborted) return INTERRUPTED;
    process.stderr.write(`bench: ${error instanceof Error ? error.message : error}\n`);
    return 1;
  }
}

/** What shells say of a program that Ctrl-C has ended. */
const INTERRUPTED = 130;

async function bench(plan: Plan, signal: AbortSignal): Promise<void> {
  const started = performance.now();
  const say = (text: string) => {
    signal.throwIfAborted();
    const seconds = Math.round((performance.now() - started) / 1000);
    process.stderr.write(`bench: ${String(seconds).padStart(4)} s  ${text}\n`);
  };
  const machine = await describeMachine();
  const results = new Results();
  await measure(plan, results, say, signal);
  process.stdout.write(`${reportLines(machine, results).join('\n')}\n`);
  if (plan.parts.length === Object.keys(MEASURES).length)
    say(`written to ${writeReport(machine, plan, results)}`);
}

async function measure(plan: Plan, results: Results, say: Bench['say'], signal: AbortSignal): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(TEMPORARY);
  chmodSync(folder, 0o755);
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const tools = await LoadTools.build(folder, signal);
  const peers = await startPeers({ folder, plan, results, say }, stack);
  for (const part of plan.parts) await MEASURES[part]({ plan, results, tools, folder, peers, say, signal });
  say('cleaning up');
}

/** Ctrl-C may come twice, from the terminal and through npm: what is said again changes nothing. */
function firstSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => controller.abort());
  return controller.signal;
}
