import { newTally, note, type Say, type Tally } from '../tally.ts';
import { RECOVERIES } from './recoveries.ts';
import type { Scenario } from './scenario.ts';
import { WORK } from './scenarios.ts';
import { type Fault, faultsOf, type Step } from './steps.ts';
import { tryOnce } from './try.ts';

/** All work, and all starts of a daemon. */
const SCENARIOS: readonly Scenario[] = [...WORK, ...RECOVERIES];

/**
 * Tries every fault at every step of all work, on a machine in memory.
 * @param match only the steps whose name has this text
 */
export async function walkMemory(match: string, say: Say): Promise<Tally> {
  const tally = newTally();
  for (const scenario of SCENARIOS) {
    const plain = await tryOnce(scenario, null);
    note(tally, scenario.name, plain.violations, say);
    for (const step of plain.steps) {
      const faults = faultsOf(step).filter((fault) =>
        nameOf(scenario, plain.steps, step, fault).includes(match),
      );
      if (faults.length > 0) tally.steps++;
      for (const fault of faults) await tryFault(scenario, plain.steps, step, fault, tally, say);
    }
  }
  return tally;
}

async function tryFault(
  scenario: Scenario,
  steps: readonly Step[],
  step: Step,
  fault: Fault,
  tally: Tally,
  say: Say,
): Promise<void> {
  const { met, violations } = await tryOnce(scenario, fault);
  const missed = met ? [] : ['the step was not reached again'];
  tally.faults++;
  note(tally, nameOf(scenario, steps, step, fault), [...missed, ...violations], say);
}

/** `start: runtime.start, kill before`; steps of one name are numbered. */
function nameOf(scenario: Scenario, steps: readonly Step[], { name, at }: Step, fault: Fault): string {
  const same = steps.filter((each) => each.name === name);
  const count = same.length > 1 ? ` ${same.findIndex((each) => each.at === at) + 1}` : '';
  return `${scenario.name}: ${name}${count}, ${fault.kind} ${fault.when}`;
}
