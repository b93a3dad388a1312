import { setTimeout as wait } from 'node:timers/promises';
import { checkAll, readStore } from '../check/state-directory.ts';
import type { RealFault } from './daemon.ts';
import type { Asking, RealScenario } from './scenarios.ts';
import type { World } from './world.ts';

/** The end of one try on a real daemon. */
export interface RealOutcome {
  readonly steps: readonly string[];
  readonly met: boolean;
  readonly ended: 'done' | 'refused' | 'killed';
  readonly violations: readonly string[];
}

/**
 * A daemon puts everything in order within this time after its start. It may wait for the end of a program that hangs.
 */
const SETTLE_MS = 25_000;
const LOOK_MS = 100;

/**
 * Does work on a real daemon, with one fault or none, kills the daemon, starts it again, and checks everything.
 * @param firstId the highest id that no instance of this daemon has
 */
export async function tryReal(
  world: World,
  scenario: RealScenario,
  fault: RealFault | null,
  firstId: number,
): Promise<RealOutcome> {
  const { daemon } = world;
  world.closeRequests();
  await scenario.prepare(world);
  daemon.arm(fault);
  const ended = await outcomeOf(world, scenario, fault);
  const { met } = daemon;
  if (met && fault?.kind === 'full disk') world.ledger.wasFull = true;
  const steps = daemon.steps();
  await daemon.kill();
  daemon.disarm();
  await daemon.start();
  await world.listen();
  const violations = await settled(world, firstId);
  const state = scenario.state(readStore(daemon.stateDir), world);
  if (!scenario[ended].includes(state))
    violations.push(`${ended}, and the state is ${state}, not ${scenario[ended].join(' or ')}`);
  world.closeRequests();
  await world.clear();
  const left = await settled(world, firstId);
  return {
    steps,
    met,
    ended,
    violations: [...violations, ...left.map((each) => `when all is deleted: ${each}`)],
  };
}

async function outcomeOf(
  world: World,
  { act }: RealScenario,
  fault: RealFault | null,
): Promise<RealOutcome['ended']> {
  const { daemon, ledger } = world;
  const asking: Asking = async (tells, work) => {
    const done = ledger.ask(world.position(), tells);
    await work();
    done();
  };
  const work = act(world, asking).then(
    () => 'done' as const,
    () => 'refused' as const,
  );
  const over = new AbortController();
  const first = await Promise.race([work, hangOf(world, fault, over.signal)]);
  over.abort();
  if (first === 'hung') await daemon.kill();
  const ended = first === 'hung' ? await work : first;
  if (fault?.kind === 'kill' && daemon.met) await daemon.ended();
  return daemon.lives || ended === 'done' ? ended : 'killed';
}

/** Resolves when a step hangs. Then the daemon is killed. */
async function hangOf({ daemon }: World, fault: RealFault | null, over: AbortSignal): Promise<'hung'> {
  if (fault?.kind !== 'hang') return new Promise(() => {});
  while (!daemon.met && !over.aborted) await wait(LOOK_MS);
  return 'hung';
}

/** Waits until nothing more changes. @returns what does not agree */
async function settled(world: World, firstId: number): Promise<string[]> {
  const { daemon, ledger } = world;
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const statuses = await world.statuses();
    const found = checkAll({
      ...{
        stateDir: daemon.stateDir,
        firstId,
        daemonPid: daemon.pid,
        statuses,
        ledger,
        interfaces: world.interfaces,
      },
    });
    if (found.length === 0 || performance.now() > deadline) return found;
    await wait(LOOK_MS);
  }
}
