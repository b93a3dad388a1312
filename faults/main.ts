import { randomBytes } from 'node:crypto';
import { walkMemory } from './memory/walk.ts';
import { HELP, type Plan, planOf } from './plan.ts';
import { walkAtRandom } from './random.ts';
import { nameOf, walkReal } from './real/walk.ts';
import { interruption, type Say, type Tally } from './tally.ts';

const SEED_BYTES = 4;
const NOT_RUN = 2;
const INTERRUPTED = 130;

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    say('interrupted: the walk ends after this try');
    interruption.abort();
  });

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    const plan = planOf(args);
    if (plan.kind !== 'help') return (await run(plan, say)) > 0 ? 1 : 0;
    process.stdout.write(HELP);
    return 0;
  } catch (error) {
    if (interruption.signal.aborted) return INTERRUPTED;
    process.stderr.write(`faults: ${(error as Error).stack}\n`);
    return NOT_RUN;
  }
}

/** @returns the number of violations */
async function run(plan: Exclude<Plan, { kind: 'help' }>, tell: Say): Promise<number> {
  let violations = 0;
  for (const place of plan.places) {
    const begin = performance.now();
    const tally = await walk(plan, place, tell);
    const seconds = Math.round((performance.now() - begin) / 1000);
    tell(
      `${place}: ${tally.steps} steps, ${tally.faults} faults, ${tally.violations.length} violations, ${seconds} s`,
    );
    violations += tally.violations.length;
  }
  return violations;
}

function walk(plan: Exclude<Plan, { kind: 'help' }>, place: 'memory' | 'real', tell: Say): Promise<Tally> {
  if (plan.kind === 'random') {
    const seed = plan.seed ?? randomBytes(SEED_BYTES).toString('hex');
    const minutes = plan.minutes / plan.places.length;
    tell(`${place}: seed ${seed}, ${minutes} minutes`);
    return walkAtRandom(place, { seed, minutes }, tell);
  }
  const { match } = plan;
  if (place === 'memory') return walkMemory(match, tell);
  const choose = (scenario: string, faults: Parameters<typeof nameOf>[1][]) =>
    faults.filter((fault) => nameOf(scenario, fault).includes(match));
  return walkReal((scenario, faults) => choose(scenario, [...faults]), tell);
}

function say(line: string): void {
  process.stderr.write(`faults: ${line}\n`);
}
