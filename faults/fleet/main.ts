import { randomBytes } from 'node:crypto';
import { type FleetPlan, fleetPlanOf, HELP } from './plan.ts';
import { runFleet } from './run.ts';

const SEED_BYTES = 4;
const NOT_RUN = 2;
const INTERRUPTED = 130;
const interruption = new AbortController();

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    say('interrupted: it ends when the faults of now are over');
    interruption.abort();
  });

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    const plan = fleetPlanOf(args);
    if (plan.kind !== 'help') return (await walk(plan)) > 0 ? 1 : 0;
    process.stdout.write(HELP);
    return 0;
  } catch (error) {
    if (interruption.signal.aborted) return INTERRUPTED;
    process.stderr.write(`fleet-faults: ${(error as Error).stack}\n`);
    return NOT_RUN;
  }
}

/** @returns the number of violations */
async function walk(plan: Extract<FleetPlan, { kind: 'walk' }>): Promise<number> {
  const seed = plan.seed ?? randomBytes(SEED_BYTES).toString('hex');
  say(`seed ${seed}, ${plan.minutes} minutes`);
  const parts = { seed, seconds: plan.minutes * 60, root: plan.root, logs: plan.logs, isQuiet: plan.isQuiet };
  const { faults, counts, violations } = await runFleet(parts, say, interruption.signal);
  for (const [kind, count] of [...Object.entries(faults), ...Object.entries(counts)])
    say(`${kind}: ${count}`);
  for (const sentence of violations) say(`VIOLATION ${sentence}`);
  say(`${violations.length} violations`);
  return violations.length;
}

function say(line: string): void {
  process.stderr.write(`fleet-faults: ${line}\n`);
}
