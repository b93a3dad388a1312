import { bind } from './frame/cores.ts';
import { describeMachine } from './frame/machine.ts';
import { Results } from './frame/results.ts';
import { HELP, isWhole, type Plan, planOf } from './plan.ts';
import { recordTables, reportLines, writeReport } from './report.ts';
import { runAll } from './stage.ts';

/** The exit code that shells report for a program that Ctrl-C ended. */
const INTERRUPTED = 130;

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

async function bench(plan: Plan, signal: AbortSignal): Promise<void> {
  const started = performance.now();
  const say = (text: string) => {
    signal.throwIfAborted();
    const seconds = Math.round((performance.now() - started) / 1000);
    process.stderr.write(`bench: ${String(seconds).padStart(4)} s  ${text}\n`);
  };
  const machine = await describeMachine(plan.checkout);
  const results = new Results();
  await bind(process.pid, 'load');
  await runAll({ plan, results, say, signal });
  process.stdout.write(`${reportLines(machine, results).join('\n')}\n`);
  if (plan.record) say(`written into ${recordTables(machine, results)}`);
  if (isWhole(plan)) say(`written to ${writeReport(machine, plan, results)}`);
}

/** Aborts at the first signal. Ctrl-C may come twice, from the terminal and npm; the second does nothing. */
function firstSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => controller.abort());
  return controller.signal;
}
