import { Random } from '../fuzz/random.ts';
import { roundInMemory } from './memory/random-walk.ts';
import { REAL } from './real/scenarios.ts';
import { nameOf, realFaultsOf, tryAnyhow, withWorld } from './real/walk.ts';
import type { World } from './real/world.ts';
import { newTally, note, type Say, type Tally } from './tally.ts';

const MS_PER_MINUTE = 60_000;
/** How often the walk in memory says how far it is. */
const ROUNDS_PER_LINE = 100;

/** A walk of some minutes, whose choices come from a seed. */
interface Walk {
  readonly seed: string;
  readonly minutes: number;
}

/** Does work at random, with faults at random steps, until its time is over. */
export function walkAtRandom(place: 'memory' | 'real', walk: Walk, say: Say): Promise<Tally> {
  return place === 'memory' ? inMemory(walk, say) : onHost(walk, say);
}

async function inMemory({ seed, minutes }: Walk, say: Say): Promise<Tally> {
  const tally = newTally();
  const deadline = performance.now() + minutes * MS_PER_MINUTE;
  for (let round = 0; performance.now() < deadline; round++) {
    await roundInMemory(`${seed}.${round}`, tally, say);
    if (round % ROUNDS_PER_LINE === 0)
      say(`round ${seed}.${round}: ${tally.faults} faults, ${tally.violations.length} violations`);
  }
  return tally;
}

async function onHost({ seed, minutes }: Walk, say: Say): Promise<Tally> {
  const tally = newTally();
  const random = new Random(seed);
  const deadline = performance.now() + minutes * MS_PER_MINUTE;
  await withWorld(async (world, firstId) => {
    while (performance.now() < deadline) await oneOnHost({ world, firstId, random, tally, say });
  });
  return tally;
}

interface Turn {
  readonly world: World;
  readonly firstId: number;
  readonly random: Random;
  readonly tally: Tally;
  readonly say: Say;
}

/** The steps of each piece of work, by its name. They are known after the work was done once. */
const known = new Map<string, readonly string[]>();

async function oneOnHost({ world, firstId, random, tally, say }: Turn): Promise<void> {
  const scenario = random.pick(REAL);
  const steps = known.get(scenario.name);
  const name = steps ? random.pick(steps) : '';
  const same = steps?.filter((each) => each === name).length ?? 0;
  const faults = steps ? realFaultsOf(name, 1 + random.below(same)) : [];
  const fault = faults.length > 0 ? random.pick(faults) : null;
  const outcome = await tryAnyhow(world, scenario, fault, firstId);
  if (outcome.steps.length > 0) known.set(scenario.name, steps ?? outcome.steps);
  tally.steps += outcome.steps.length;
  if (outcome.met) tally.faults++;
  const where = fault ? nameOf(scenario.name, fault) : `${scenario.name}, no fault`;
  say(`${where}: ${outcome.ended}`);
  note(tally, where, outcome.violations, say);
}
