import { Ledger } from '../check/journal.ts';
import { newTally, note, type Say, type Tally } from '../tally.ts';
import { FaultyDaemon, type RealFault } from './daemon.ts';
import { REAL, type RealScenario } from './scenarios.ts';
import { type RealOutcome, tryReal } from './try.ts';
import { World } from './world.ts';

/** Ids of instances begin here. No other daemon of the host has such ids, so the walk recognises its own cgroups. */
const FIRST_ID = 700_000;

/** Steps that only read, or that come at any time. */
const LEFT_OUT = /^program (stat|lxc-info)|^commit (events|reserve|meta|journal_deleted)?$/;

/** The faults that make sense at a step. */
export function realFaultsOf(name: string, count: number): RealFault[] {
  const of = (kind: RealFault['kind'], when: RealFault['when']) => ({ name, count, when, kind });
  const kills = [of('kill', 'before'), of('kill', 'after')];
  if (LEFT_OUT.test(name)) return [];
  if (name.startsWith('program '))
    return [...kills, of('failure', 'before'), of('hang', 'before'), of('hang', 'after')];
  return [...kills, of('full disk', 'before'), of('I/O error', 'before')];
}

/** Opens a daemon with its world, and closes both in the end. */
export async function withWorld<T>(work: (world: World, firstId: number) => Promise<T>): Promise<T> {
  const firstId = FIRST_ID + process.pid;
  await using daemon = await FaultyDaemon.begin(firstId);
  await using world = new World(daemon, new Ledger(), firstId);
  await world.listen();
  await world.prepare();
  return await work(world, firstId);
}

/** Which of the faults of a scenario are tried. */
export type Choose = (scenario: string, faults: readonly RealFault[]) => readonly RealFault[];

/** Tries faults at the steps of all work of a real daemon. */
export async function walkReal(choose: Choose, say: Say): Promise<Tally> {
  const tally = newTally();
  await withWorld(async (world, firstId) => {
    for (const scenario of REAL) {
      const faults = await stepsOf(world, scenario, firstId, tally, say);
      for (const fault of choose(scenario.name, faults)) {
        await tryFault(world, scenario, fault, firstId, tally, say);
      }
    }
  });
  return tally;
}

/** All faults at the steps of some work, which is done once without one. */
async function stepsOf(
  world: World,
  scenario: RealScenario,
  firstId: number,
  tally: Tally,
  say: Say,
): Promise<RealFault[]> {
  const { steps, violations } = await tryReal(world, scenario, null, firstId);
  note(tally, scenario.name, violations, say);
  tally.steps += steps.length;
  return steps.flatMap((name, at) => {
    const count = steps.slice(0, at + 1).filter((each) => each === name).length;
    return realFaultsOf(name, count);
  });
}

/** Tries one fault, and notes what it has left. */
async function tryFault(
  world: World,
  scenario: RealScenario,
  fault: RealFault,
  firstId: number,
  tally: Tally,
  say: Say,
): Promise<void> {
  const where = nameOf(scenario.name, fault);
  const { met, ended, violations } = await tryAnyhow(world, scenario, fault, firstId);
  if (met) tally.faults++;
  say(`${where}: ${met ? ended : 'was not reached again'}`);
  note(tally, where, violations, say);
}

/** A try that fails, for example because a daemon does not start, is a violation. The walk continues. */
export async function tryAnyhow(
  world: World,
  scenario: RealScenario,
  fault: RealFault | null,
  firstId: number,
): Promise<RealOutcome> {
  try {
    return await tryReal(world, scenario, fault, firstId);
  } catch (error) {
    const { met } = world.daemon;
    await world.begin();
    return { steps: [], met, ended: 'killed', violations: [`it cannot go on: ${(error as Error).message}`] };
  }
}

/** `launch: program lxc-start, kill before`. */
export function nameOf(scenario: string, { name, count, when, kind }: RealFault): string {
  return `${scenario}: ${name}${count > 1 ? ` ${count}` : ''}, ${kind} ${when}`;
}
