import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Random } from '../../fuzz/random.ts';
import { checkFleet } from '../check/fleet/check.ts';
import { countEvents } from '../check/fleet/guests.ts';
import type { RunRecord, Shown, ShownInstance } from '../check/fleet/record.ts';
import { Faults } from './faults.ts';
import { Guests, instanceOf } from './guests.ts';
import type { FleetDaemon } from './member.ts';
import { Operators } from './operators.ts';
import { nowMs } from './time.ts';
import { FleetWorld } from './world.ts';

const GUESTS_EACH = 6;
/** Far from the ids of other tests' containers. */
const FIRST_UID = 520_000;
const OPERATORS_EACH = 2;
const END_MS = 120_000;
/** An event comes in milliseconds; a stream that has ended is opened again in seconds. */
const HEAR_MS = 30_000;
const LOOK_MS = 100;

export interface RunPlan {
  readonly seed: string;
  readonly seconds: number;
  /** The checkout whose daemon is tried; this one if it is undefined. */
  readonly root: string | undefined;
  /** Whether no faults come. */
  readonly isQuiet: boolean;
  /** Where logs and notes stay; undefined: nowhere. */
  readonly logs: string | undefined;
}

export interface RunResult {
  readonly faults: Readonly<Record<string, number>>;
  readonly violations: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
}

/** Lets a real fleet work under faults, and checks all that was noted. */
export async function runFleet(
  plan: RunPlan,
  say: (line: string) => void,
  stop: AbortSignal,
): Promise<RunResult> {
  await using stack = new AsyncDisposableStack();
  const world = stack.use(await FleetWorld.make(plan.root));
  const { logs } = plan;
  if (logs !== undefined) {
    mkdirSync(logs, { recursive: true });
    stack.defer(() => world.keepLogs(logs));
  }
  say('daemons and etcd work');
  const random = new Random(plan.seed);
  const fingerprint = await world.furnish(world.members[0] as FleetDaemon);
  const guests = await furnishGuests(world, stack, random);
  await world.allOnline();
  const begun = await world.witness.catchUp();
  say(`${guests.length * GUESTS_EACH} guests listen`);
  const instances = guests.flatMap(({ pids }) => [...pids.keys()].map(instanceOf));
  const operators = new Operators({ members: world.members, instances, fingerprint, random });
  const faults = new Faults(world, new Random(`${plan.seed} faults`), say);
  const over = new AbortController();
  stack.defer(() => over.abort());
  const working = world.members.flatMap((member) =>
    Array.from({ length: OPERATORS_EACH }, (_, index) =>
      operators.work(member, new Random(`${plan.seed} ${member.name} ${index}`), over.signal),
    ),
  );
  for (const each of guests) each.ask();
  const time = AbortSignal.any([AbortSignal.timeout(plan.seconds * 1000), stop]);
  if (plan.isQuiet) await once(time, 'abort');
  else await faults.walk(time);
  stop.throwIfAborted();
  say('all faults are over');
  await world.allOnline();
  over.abort();
  for (const each of guests) each.rest();
  await Promise.all(working);
  const found: string[] = [];
  const ends = await settle(world, operators, guests, found);
  const record: RunRecord = {
    ...{
      history: world.witness.history,
      begun,
      ends,
      looks: operators.looks,
      faults: [...faults.spans, ...world.witness.outages],
    },
    ...{ guests: guests.flatMap(({ logs }) => logs), compactions: world.compactions },
    changes: [...operators.changes, ...guests.flatMap(({ changes }) => changes)],
  };
  if (logs !== undefined) writeFileSync(join(logs, 'record.json'), JSON.stringify(record, inJson));
  return resultOf(record, faults.counts, [...found, ...world.witness.found, ...lateGuests(guests)]);
}

/** Adopts the guests of all members; some before their host joins the fleet. */
async function furnishGuests(
  world: FleetWorld,
  stack: AsyncDisposableStack,
  random: Random,
): Promise<Guests[]> {
  const guests: Guests[] = [];
  for (const [index, member] of world.members.entries()) {
    const first = index * GUESTS_EACH;
    const sizes = { first, count: GUESTS_EACH, firstUid: FIRST_UID, seed: random.below(1e6) };
    const each = stack.use(new Guests(member.name, member.guestSocket, sizes));
    guests.push(each);
    await each.made();
    const pids = [...each.pids];
    const half = index === 1 ? 0 : Math.ceil(pids.length / 2);
    for (const [number, pid] of pids.slice(0, half)) await adopt(member, number, pid, index === 0);
    await world.join(member);
    for (const [number, pid] of pids.slice(half)) await adopt(member, number, pid, true);
    await until(`the guests of ${member.name} listen`, () => each.listening.size === pids.length);
  }
  return guests;
}

async function adopt(member: FleetDaemon, number: number, pid: number, isInFleet: boolean): Promise<void> {
  const config = { 'security.devlxd.guest_config': 'true' };
  const profiles = ['default', ...(isInFleet ? ['web'] : [])];
  await member.client.change('POST', '/1.0/instances', {
    json: { name: instanceOf(number), profiles, config, source: { type: 'adopt', pid } },
  });
}

/**
 * Makes the last change of every instance.
 * @param found gets what is wrong
 * @returns what all members show when their guests have heard of it
 */
async function settle(
  world: FleetWorld,
  operators: Operators,
  guests: readonly Guests[],
  found: string[],
): Promise<Map<string, Shown>> {
  await until('guests do nothing more', () =>
    guests.every(({ resting, pids }) => resting.size === pids.size),
  );
  for (const [index, each] of guests.entries())
    for (const number of each.pids.keys())
      found.push(...(await operators.mark(world.members[index] as FleetDaemon, instanceOf(number))));
  const hear = () => lateGuests(guests).length === 0;
  await until('guests hear the last change', hear, HEAR_MS).catch(() => {});
  await world.witness.catchUp();
  const ends = new Map<string, Shown>();
  for (const member of world.members) ends.set(member.name, await shownBy(member));
  return ends;
}

/** The guests that have not heard of the last change. */
function lateGuests(guests: readonly Guests[]): string[] {
  return guests
    .flatMap(({ logs }) => logs)
    .filter(({ lines }) => !lines.some(({ kind, text }) => kind === 'event' && text.includes('"user.end"')))
    .map(({ instance }) => `the guest of ${instance} does not hear of the last change`);
}

async function shownBy({ client }: FleetDaemon): Promise<Shown> {
  type Profile = { name: string; config: Record<string, string> };
  const profiles = await client.get<Profile[]>('/1.0/profiles?recursion=1');
  type Alias = { name: string; description: string };
  const aliases = await client.get<Alias[]>('/1.0/images/aliases?recursion=1');
  type Instance = { name: string; status: string; profiles: string[]; config: Record<string, string> };
  const instances = await client.get<Instance[]>('/1.0/instances?recursion=1');
  return {
    profiles: new Map(profiles.map(({ name, config }) => [name, config])),
    aliases: new Map(aliases.map(({ name, description }) => [name, description])),
    instances: new Map(instances.map(({ name, ...rest }): [string, ShownInstance] => [name, rest])),
  };
}

function resultOf(record: RunRecord, faults: RunResult['faults'], found: readonly string[]): RunResult {
  const { violations, counts } = checkFleet(record);
  const { changes, guests, history } = record;
  const outcomes = [...Map.groupBy(changes, ({ outcome }) => outcome)].map(([outcome, some]) => [
    `changes: ${outcome}`,
    some.length,
  ]);
  const gone = guests.reduce((sum, { lines }) => sum + lines.filter(({ kind }) => kind === 'gone').length, 0);
  const reads = guests.reduce((sum, each) => sum + each.reads.length, 0);
  return {
    faults,
    violations: [...found, ...violations],
    counts: {
      ...{ changes: changes.length, ...Object.fromEntries(outcomes), revisions: history.length },
      ...{ events: countEvents(record), reads, 'told to start again': gone, looks: record.looks.length },
      ...counts,
    },
  };
}

async function until(fact: string, holds: () => boolean, waitMs = END_MS): Promise<void> {
  const end = nowMs() + waitMs;
  while (!holds()) {
    if (nowMs() > end) throw new Error(`it did not come to this: ${fact}`);
    await wait(LOOK_MS);
  }
}

const inJson = (_key: string, value: unknown) => (value instanceof Map ? Object.fromEntries(value) : value);
