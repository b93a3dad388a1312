import { setTimeout as wait } from 'node:timers/promises';
import { path } from '../../packages/host/src/client/host-client.ts';
import type { Bench } from '../bench.ts';
import { isAtRest } from '../frame/at-rest.ts';
import { rotated } from '../frame/rounds.ts';
import { Aftermath } from '../neighbours/aftermath.ts';
import { type Attack, CONTROLS, comparedWith, WORKERS } from '../neighbours/attacks.ts';
import { type Neighbourhood, startNeighbourhood } from '../neighbours/neighbourhood.ts';
import { type Noticed, PROBE_SECONDS, probe } from '../neighbours/probes.ts';
import type { Task } from '../neighbours/task.ts';

/** How long an attack runs alone, before the probes and after them. */
const RAMP_SECONDS = 0.5;
const ATTACK_SECONDS = RAMP_SECONDS + PROBE_SECONDS + RAMP_SECONDS;
/** How long the next attack waits for the daemon to be at rest. */
const REST_MS = 10_000;
const MS_PER_S = 1000;

/** n. Effects on others while an instance or a host process attacks, and what the daemon holds afterwards. */
export async function measureNeighbours(bench: Bench): Promise<void> {
  const { plan, say, results } = bench;
  say('neighbours: starting a daemon, and a real container for each of them');
  await using neighbourhood = await startNeighbourhood(bench);
  const { daemon } = neighbourhood;
  const aftermath = new Aftermath(results, daemon);
  const places = new Set(plan.attacks.map(({ place }) => place));
  const beside = [...[...places].map((place) => CONTROLS[place]), ...comparedWith(plan.attacks)];
  await endure(bench, neighbourhood, CONTROLS.instance);
  await untilRested(daemon.pid);
  aftermath.before();
  for (let round = 0; round < plan.neighbourRounds; round++) {
    for (const attack of rotated([...beside, ...plan.attacks], round)) {
      say(`neighbours: ${attack.title}`);
      record(bench, attack, await aftermath.during(attack.name, endure(bench, neighbourhood, attack)));
      if (daemon.hasEnded) throw new Error(`the daemon has ended: ${attack.title}`);
      await untilRested(daemon.pid);
    }
    say('neighbours: what is left');
    await aftermath.after(bench);
  }
}

/** Results of the probes during an attack, and how often the attack acted. */
interface Endured {
  readonly noticed: Noticed;
  readonly done: number;
}

/** Runs one attack and the probes at the same time. */
async function endure(bench: Bench, neighbourhood: Neighbourhood, attack: Attack): Promise<Endured> {
  await using task = start(neighbourhood, attack);
  await task.ready();
  await wait(RAMP_SECONDS * MS_PER_S, undefined, { signal: bench.signal });
  const operator = attack.operator ? changeLargeKeys(neighbourhood, bench.signal) : undefined;
  const noticed = await probe(neighbourhood, neighbourhood.socketOf('instance', attack.server), bench.signal);
  await operator;
  const { done } = await task.result<{ readonly done: number }>();
  return { noticed, done };
}

function start({ attacker, imageTarget, inside, onHost, socketOf }: Neighbourhood, attack: Attack): Task {
  const socket = socketOf(attack.place, attack.server);
  const argument = { image: imageTarget, position: '0', none: '' }[attack.argument ?? 'none'];
  const args = [attack.program, socket, `${WORKERS}`, `${ATTACK_SECONDS}`, `${attack.uid}`, argument];
  return attack.place === 'host' ? onHost('attack', ...args) : inside(attacker, 'attack', ...args);
}

const LARGE_CHARACTERS = 200_000;
/** Each change adds an event of twice the value's size to the journal. */
const LARGE_CHANGES = 80;
const BETWEEN_MS = 50;

/** Changes a large key of the attacker, whose listeners do not read. */
async function changeLargeKeys({ daemon, attacker }: Neighbourhood, signal: AbortSignal): Promise<void> {
  for (let change = 0; change < LARGE_CHANGES; change++) {
    const config = { 'user.large': `${change}`.padEnd(LARGE_CHARACTERS, 'x') };
    await daemon.client.change('PATCH', path`/1.0/instances/${attacker.name}`, { json: { config } });
    await wait(BETWEEN_MS, undefined, { signal });
  }
}

function record({ results }: Bench, { name }: Attack, { noticed, done }: Endured): void {
  const { kept, fresh, main, operatorMs } = noticed;
  for (const [who, witnessed] of Object.entries({ kept, fresh, main } as const)) {
    const kind = who as 'kept' | 'fresh' | 'main';
    results.add(`neighbour-${kind}-median`, name, witnessed.medianMs);
    results.add(`neighbour-${kind}-p99`, name, witnessed.p99Ms);
  }
  const all = [kept, fresh, main];
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  results.add('neighbour-operator', name, operatorMs);
  results.add('neighbour-answers', name, Math.min(...all.map(({ answers }) => answers)));
  results.add('neighbour-missed', name, sum(all.map(({ wanted, answers }) => Math.max(0, wanted - answers))));
  results.add('neighbour-full', name, sum(all.map(({ full }) => full)));
  results.add('neighbour-attack', name, done / ATTACK_SECONDS);
}

/** Waits until the daemon is at rest, for `REST_MS` at most: then the next attack begins anyway. */
async function untilRested(pid: number): Promise<void> {
  const deadline = performance.now() + REST_MS;
  while (performance.now() < deadline && !(await isAtRest(pid)));
}
