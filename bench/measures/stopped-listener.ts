import { path } from '../../packages/host/src/client/host-client.ts';
import { DEFAULT_GUEST_LIMITS } from '../../packages/host/src/guest/guest-limits.ts';
import type { Bench } from '../bench.ts';
import { interleave } from '../frame/rounds.ts';
import { percentile } from '../frame/stats.ts';
import { timeToEvent } from '../peers/changes.ts';
import { memberName, type Population } from '../peers/population.ts';

/** The first listener stops reading. The events of the others are timed, in steps of `STRIDE`. */
const LISTENERS = 1000;
const OTHERS = LISTENERS - 1;
const STRIDE = 997;

const { eventQueueBytes } = DEFAULT_GUEST_LIMITS;
/** An event has the value and the one before. `FILLS` events fit even if the kernel buffers none. */
const VALUE_CHARACTERS = 118_000;
const EVENT_CHARACTERS = 2 * VALUE_CHARACTERS + 200;
const FILLS = Math.floor(eventQueueBytes / EVENT_CHARACTERS);
/** This many more overflow the queue, however much the kernel buffers. */
const FILLS_TOO_MANY = 4;
/** "Try again later": the close code for a reader whose queue is full. */
const TOO_SLOW = 1013;

const BYTES_PER_KIB = 1024;
const KIB_PER_MIB = 1024;

/** Latency of the other listeners' events, and the daemon's memory. */
interface Noticed {
  readonly medianMs: number;
  readonly usedKib: number;
  readonly residentKib: number;
}

const CASES = { 'all read': whileAllRead, 'one stopped': whileOneStopped } as const;
const NAMES = Object.keys(CASES) as (keyof typeof CASES)[];

/**
 * d. Many instances listen. One stops reading while its events fill its queue, until the daemon closes its
 * WebSocket. The same changes are made while it reads, so that only its reading makes the difference.
 */
export async function measureStoppedListener(bench: Bench): Promise<void> {
  const { plan, results, say } = bench;
  const population = await bench.population(LISTENERS);
  say(`events: one of ${LISTENERS} listeners stops reading`);
  await population.daemon.stop();
  await population.daemon.start({ collectable: true });
  await population.crowd.listen(LISTENERS);
  await interleave(
    NAMES,
    plan.rounds,
    async (name) => {
      const { medianMs, usedKib, residentKib } = await CASES[name](bench, population);
      results.add('stopped-median', name, medianMs);
      results.add('stopped-used', name, usedKib / KIB_PER_MIB);
      results.add('stopped-resident', name, residentKib / KIB_PER_MIB);
    },
    async (name) => void (await CASES[name](bench, population)),
  );
  const [whole, less] = NAMES.map((name) => results.of('stopped-used', name)) as [number[], number[]];
  for (const [round, used] of less.entries())
    results.add('stopped-cost', 'one stopped', (used - (whole[round] as number)) * KIB_PER_MIB);
  results.add('stopped-bound', 'one stopped', eventQueueBytes / BYTES_PER_KIB);
  await population.crowd.leave(LISTENERS);
}

function whileAllRead(bench: Bench, population: Population): Promise<Noticed> {
  return notice(bench, population, async (change) => {
    await fill(population, change);
    await population.crowd.nextEvent();
  });
}

/** Also checks that the daemon did not close it too early: it gets all events of its queue, then the code. */
async function whileOneStopped(bench: Bench, population: Population): Promise<Noticed> {
  const { crowd } = population;
  await crowd.stopReading(1);
  const noticed = await notice(bench, population, (change) => fill(population, change));
  for (let more = 0; more < FILLS_TOO_MANY; more++) await fill(population, more);
  await crowd.resumeReading(1);
  const { code, events } = await crowd.nextClose();
  if (code !== TOO_SLOW || events < FILLS)
    throw new Error(`the stopped listener got ${events} events and was closed with ${code}`);
  await crowd.listen(1);
  return noticed;
}

/** Changes the other instances, one at a time, and in between the one whose queue is to be filled. */
async function notice(
  { plan, signal }: Bench,
  { crowd, daemon }: Population,
  fillMore: (change: number) => Promise<void>,
): Promise<Noticed> {
  const took: number[] = [];
  const between = Math.floor(plan.changes / FILLS);
  for (let change = 0; change < plan.changes; change++) {
    signal.throwIfAborted();
    if (change % between === 0 && change / between < FILLS) await fillMore(change);
    const number = 1 + ((change * STRIDE) % OTHERS);
    took.push(await timeToEvent(daemon.client, memberName(number), async () => (await crowd.nextEvent()).at));
  }
  const usedKib = (await daemon.collectGarbage()) / BYTES_PER_KIB;
  return { medianMs: percentile(took, 50), usedKib, residentKib: daemon.residentKib() };
}

async function fill({ daemon }: Population, change: number): Promise<void> {
  const config = { 'user.bench-large': String(change).padEnd(VALUE_CHARACTERS) };
  await daemon.client.change('PATCH', path`/1.0/instances/${memberName(0)}`, { json: { config } });
}
