import { checkLines, checksOf } from './checks.ts';
import { HELP, type Plan, planOf } from './plan.ts';
import { recorded, write } from './record.ts';
import { describeSoak, figureLines } from './report.ts';
import { soak } from './soak.ts';

const NOT_RUN = 2;
/** The exit code that shells report for a program that Ctrl-C ended. */
const INTERRUPTED = 130;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const interrupted = firstSignal();
  try {
    const plan = planOf(args);
    if (plan?.redraw) return redraw();
    if (plan) return await run(plan, interrupted);
    process.stdout.write(HELP);
    return 0;
  } catch (error) {
    if (interrupted.aborted) return INTERRUPTED;
    process.stderr.write(`soak: ${error instanceof Error ? error.message : error}\n`);
    return NOT_RUN;
  }
}

function redraw(): number {
  for (const file of recorded()) process.stderr.write(`soak: written to ${file}\n`);
  return 0;
}

/** @returns the exit code */
async function run(plan: Plan, signal: AbortSignal): Promise<number> {
  const started = performance.now();
  const say = (text: string) => {
    signal.throwIfAborted();
    const seconds = Math.round((performance.now() - started) / 1000);
    process.stderr.write(`soak: ${String(seconds).padStart(4)} s  ${text}\n`);
  };
  const soaked = await soak({ plan, say, signal });
  const checks = checksOf(soaked);
  const report = await describeSoak(plan, soaked, checks);
  process.stdout.write(`${[...figureLines(report), '', ...checkLines(checks)].join('\n')}\n`);
  for (const file of write(plan, report)) say(`written to ${file}`);
  return checks.some(({ holds }) => holds === false) ? 1 : 0;
}

/** Aborts at the first signal. Ctrl-C may come twice, from the terminal and npm; the second does nothing. */
function firstSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => controller.abort());
  return controller.signal;
}
