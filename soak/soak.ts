import { chmodSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { until } from '../bench/frame/wait.ts';
import { buildForm } from '../bench/peers/built.ts';
import { Portholed } from '../bench/peers/porthole.ts';
import { Random } from '../fuzz/random.ts';
import type { Memory, Moment, Observed } from './checks.ts';
import { DaemonLog } from './daemon-log.ts';
import { Ledger } from './ledger.ts';
import { leftBehind } from './left-behind.ts';
import { Operators } from './operators.ts';
import type { Plan } from './plan.ts';
import { Population } from './population.ts';
import { type Held, heldBy, sharedMib } from './processes.ts';
import { isRestart, type Restart, STEPS } from './restarts.ts';
import { Sampler } from './sampler.ts';
import { Tally } from './tally.ts';

/** Others must be able to search every folder on the path to a root filesystem, and /tmp may not allow that. */
const TEMPORARY = '/var/tmp/porthole-soak-';
const INSIDE = new URL('./inside.mjs', import.meta.url).href;
/** As many samples show what happens; more would cost the daemon's processor time. */
const SAMPLES = 360;
const SAMPLE_MS_MIN = 1000;
const MS_PER_S = 1000;
const S_PER_MIN = 60;
const BYTES_PER_MIB = 1024 * 1024;
/** How long guests and daemon may need to come to rest after the load. */
const SETTLE_MS = 60_000;
const LOOK_MS = 200;

export interface Context {
  readonly plan: Plan;
  /** Reports progress. @throws when the soak has been interrupted */
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

/** The result: what the checks need, and what was counted. */
export interface Soaked extends Observed {
  readonly tally: Tally;
  /** How often each warning or error was logged. */
  readonly logged: Readonly<Record<string, number>>;
}

/** What is known before everything is taken down. */
type Seen = Omit<Soaked, 'faults'> & {
  readonly behind: readonly string[];
  readonly errors: readonly string[];
};

/** Runs the whole soak, takes everything down, and looks whether something is left. */
export async function soak(context: Context): Promise<Soaked> {
  const folder = mkdtempSync(TEMPORARY);
  chmodSync(folder, 0o755);
  const seen = await soakIn(folder, context).finally(() => rm(folder, { recursive: true, force: true }));
  const { behind, errors, ...rest } = seen;
  const { wrong, failed } = seen.tally;
  return {
    ...rest,
    faults: { errors: texts(errors), wrong, failed, behind: texts(behind), left: texts(leftBehind(folder)) },
  };
}

function texts(all: readonly string[]) {
  return { count: all.length, kept: all.slice(0, TEXTS_SHOWN) };
}
const TEXTS_SHOWN = 20;

async function soakIn(folder: string, context: Context): Promise<Seen> {
  const { plan, say, signal } = context;
  await using stack = new AsyncDisposableStack();
  const [log, tally] = [new DaemonLog(), new Tally()];
  say('building');
  const daemon = new Portholed(join(folder, 'state'), await buildForm({ folder }, 'built'));
  stack.defer(() => daemon.destroy());
  await startDaemon(daemon, log);
  say(`${plan.adopted} adopted instances and ${plan.containers} containers`);
  const population = stack.use(await Population.make({ plan, folder, daemon, tally, signal }));
  const ledger = new Ledger(daemon.client, tally);
  await population.to('listen');
  const before = await atRest(daemon.pid, signal);
  const load = await underLoad({ ...context, daemon, log, tally, population, ledger });
  say('the load is over');
  await population.to('rest');
  const behind = await untilEqual(() => ledger.differences(population.names), signal);
  const after = await untilNoMore(daemon.pid, before, signal);
  await population.to('leave');
  const errors = log.complaints.filter(({ level }) => level !== 'warn').map(({ line }) => line);
  say('taking everything down');
  return { ...load, before, after, behind, errors, tally, logged: log.counts() };
}

async function startDaemon(daemon: Portholed, log: DaemonLog): Promise<void> {
  await daemon.start({ cores: 'all', module: INSIDE, hear: log.hear });
}

interface Loaded extends Context {
  readonly daemon: Portholed;
  readonly log: DaemonLog;
  readonly tally: Tally;
  readonly population: Population;
  readonly ledger: Ledger;
}

async function underLoad(
  scene: Loaded,
): Promise<Pick<Observed, 'seconds' | 'samples' | 'restarts' | 'memory'>> {
  const { plan, say, signal, population } = scene;
  const seconds = plan.minutes * S_PER_MIN;
  const random = new Random(`${plan.seed}`);
  const sampler = new Sampler(scene, Math.max(SAMPLE_MS_MIN, (seconds * MS_PER_S) / SAMPLES));
  await population.to('load');
  const operators = new Operators({ ...scene, below: (limit) => random.below(limit) });
  const restarts: number[] = [];
  const memory: Partial<Record<Moment, Memory>> = {};
  try {
    for (const { at, what } of STEPS) {
      await wait(Math.max(0, seconds * at - sampler.seconds) * MS_PER_S, undefined, { signal });
      say(what);
      if (!isRestart(what)) memory[what] = await collected(scene);
      else {
        restarts.push(sampler.seconds);
        await carryOut(what, scene, operators);
      }
    }
  } finally {
    await operators.stop();
    await sampler.stop();
  }
  return { seconds, samples: sampler.samples, restarts, memory: memory as Record<Moment, Memory> };
}

/** Tells the daemon to collect its garbage, and measures what it still uses. */
async function collected({ daemon, log }: Loaded): Promise<Memory> {
  const done = log.logged('garbage collected');
  process.kill(daemon.pid, 'SIGUSR2');
  const { heap = 0 } = await done;
  return { pss: await sharedMib(daemon.pid), heap: heap / BYTES_PER_MIB };
}

async function carryOut(
  how: Restart,
  { daemon, log, tally, population }: Loaded,
  operators: Operators,
): Promise<void> {
  if (how === 'SIGHUP') {
    const started = log.logged('daemon started');
    await daemon.hangUp();
    await started;
    return;
  }
  await operators.pause();
  tally.isKilled = true;
  await daemon.kill();
  await until('all guests know that the daemon has ended', () => tally.listening.size === 0);
  await startDaemon(daemon, log);
  // By then all have reported what failed before.
  await until('all guests listen again', () => tally.listening.size === population.names.length);
  tally.isKilled = false;
  operators.resume();
}

/** Asks again until there is no difference, or its time is over. @returns the last differences */
async function untilEqual(differences: () => Promise<string[]>, signal: AbortSignal): Promise<string[]> {
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const found = await differences();
    if (found.length === 0 || performance.now() > deadline) return found;
    await wait(LOOK_MS, undefined, { signal });
  }
}

/** Waits until the daemon holds no more than before, or its time is over. */
async function untilNoMore(pid: number, before: Held, signal: AbortSignal): Promise<Held> {
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const now = await heldBy(pid);
    const isMore = (Object.keys(before) as (keyof Held)[]).some((kind) => now[kind] > before[kind]);
    if (!isMore || performance.now() > deadline) return now;
    await wait(LOOK_MS, undefined, { signal });
  }
}

/** Waits until what the daemon holds has been the same for some looks. @returns it */
async function atRest(pid: number, signal: AbortSignal): Promise<Held> {
  let last = await heldBy(pid);
  for (let same = 0; same < SAME_LOOKS; ) {
    await wait(LOOK_MS, undefined, { signal });
    const now = await heldBy(pid);
    same = isDeepStrictEqual(now, last) ? same + 1 : 0;
    last = now;
  }
  return last;
}
/** Longer than the daemon keeps unused helpers and connections. */
const SAME_LOOKS = 60;
