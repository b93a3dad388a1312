import { randomBytes } from 'node:crypto';
import { HELP, type Plan, planOf } from './plan.ts';
import { fuzz, replay } from './session.ts';

const SEED_BYTES = 4;
const NOT_RUN = 2;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    const plan = planOf(args);
    if (plan.kind !== 'help') return (await run(plan)) > 0 ? 1 : 0;
    process.stdout.write(HELP);
    return 0;
  } catch (error) {
    process.stderr.write(`fuzz: ${(error as Error).message}\n`);
    return NOT_RUN;
  }
}

async function run(plan: Exclude<Plan, { kind: 'help' }>): Promise<number> {
  const say = (line: string) => void process.stderr.write(`fuzz: ${line}\n`);
  if (plan.kind === 'replay') return replay(plan.file, say);
  const seed = plan.seed ?? randomBytes(SEED_BYTES).toString('hex');
  say(`seed ${seed}, ${plan.minutes} minutes, ${plan.targets.join(', ')}`);
  return fuzz({ ...plan, seed }, { say, signal: firstSignal() });
}

/** Aborts at the first signal. Ctrl-C may come twice, from the terminal and npm; the second does nothing. */
function firstSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => controller.abort());
  return controller.signal;
}
