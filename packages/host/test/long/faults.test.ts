import type { ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ask, until } from '../harness/api.ts';
import { CallerTools } from '../harness/caller.ts';
import { Crowd } from '../harness/crowd.ts';
import { TestDaemon } from '../harness/daemon.ts';
import type { Event } from '../harness/listener.ts';
import { Operator } from '../harness/operator.ts';
import { SeededRandom } from '../harness/random.ts';

const CYCLES = 120;
const CALLERS = 50;
/** Operators that change instances at the same time; each has its own instances. */
const OPERATORS = 10;
/** The daemon is ended at a random moment within this time after its start. */
const LONGEST_LIFE_MS = 150;
const TIMEOUT_MS = 900_000;

/** Seed of all random choices; PORTHOLE_TEST_SEED repeats those of an earlier test. */
const seed = Number(process.env['PORTHOLE_TEST_SEED'] ?? randomInt(2 ** 31));

let daemon: TestDaemon;
let operator: Operator;
let tools: CallerTools;
let crowd: Crowd;
const listeners: ChildProcess[] = [];
/** The events that each caller's listener has printed. */
const records: Event[][] = [];
/** The changes of each instance that were acknowledged, and how many were tried. */
const acknowledged: Set<number>[] = [];
const tried: number[] = [];

const nameOf = (caller: number) => `c${caller}`;

beforeAll(async () => {
  daemon = await TestDaemon.start(['--journal-events', '10000000', '--journal-instance-events', '1000000']);
  operator = new Operator(daemon);
  tools = new CallerTools();
  crowd = await Crowd.make(CALLERS);
  for (let caller = 0; caller < CALLERS; caller++) await addCaller(caller);
});
afterAll(async () => {
  await Promise.all(listeners.map(end));
  await crowd?.[Symbol.asyncDispose]();
  tools?.[Symbol.dispose]();
  await daemon?.destroy();
});

/** Ends a listener before the nsenter that has started it, because only nsenter reaps it at once. */
async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim();
  for (const each of children.split(' ').filter(Boolean)) process.kill(Number(each), 'SIGKILL');
  await exited;
}

async function addCaller(caller: number): Promise<void> {
  const pid = crowd.pid(caller);
  await operator.client.change('POST', '/1.0/instances', {
    json: { name: nameOf(caller), source: { type: 'adopt', pid } },
  });
  const record: Event[] = [];
  records.push(record);
  acknowledged.push(new Set());
  tried.push(0);
  const kind = caller % 2 === 0 ? 'websocket' : 'stream';
  const child = tools.spawn(pid, 'faithful.mjs', daemon.guestSocket, kind);
  listeners.push(child);
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
    record.push(JSON.parse(line) as Event);
  });
}

/**
 * Changes instances in turn, as fast as the daemon answers, until told to stop or until the daemon is gone.
 */
async function change(first: number, going: { on: boolean }): Promise<void> {
  for (let round = 0; going.on; round++) {
    const caller = first + OPERATORS * (round % (CALLERS / OPERATORS));
    const value = (tried[caller] ?? 0) + 1;
    tried[caller] = value;
    try {
      await operator.patch(nameOf(caller), { config: { 'user.n': `${nameOf(caller)}.${value}` } });
    } catch {
      // The request was cut off: the change may be made or not. The next cycle has new operators.
      return;
    }
    acknowledged[caller]?.add(value);
  }
}

/** The ways in which the daemon ends and starts again. */
const FAULTS = {
  'kill -9': async () => {
    await daemon.kill();
    await daemon.start();
  },
  restart: () => daemon.restart(),
  'restart in place': () => daemon.restartInPlace(),
} as const;

type Fault = keyof typeof FAULTS;

/** A kill is the most frequent: it is the hardest fault, and quick. */
const FAULT_DICE: readonly Fault[] = [
  'kill -9',
  'kill -9',
  'kill -9',
  'kill -9',
  'restart',
  'restart in place',
];

/** All events of an instance that the journal has. */
async function journal(caller: number): Promise<Event[]> {
  const all: Event[] = [];
  for (let [since, more] = [0, true]; more; ) {
    const { body } = await ask(daemon, { init: crowd.pid(caller) }, `/1.0/events?since=${since}&limit=256`);
    const page = JSON.parse(body) as { events: Event[]; next: number; more: boolean };
    all.push(...page.events);
    ({ next: since, more } = page);
  }
  return all;
}

it(
  `no event is lost, doubled, reordered or sent to another instance over ${CYCLES} random ends of the daemon`,
  async () => {
    process.stdout.write(`seed ${seed}\n`);
    const random = new SeededRandom(seed);
    const ends: Record<Fault, number> = { 'kill -9': 0, restart: 0, 'restart in place': 0 };
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      const going = { on: true };
      const changing = Array.from({ length: OPERATORS }, (_, first) => change(first, going));
      await wait(random.next() * LONGEST_LIFE_MS);
      const fault = random.pick(FAULT_DICE);
      ends[fault]++;
      await FAULTS[fault]();
      going.on = false;
      await Promise.all(changing);
    }

    const journals: Event[][] = [];
    for (let caller = 0; caller < CALLERS; caller++) {
      const events = await journal(caller);
      journals.push(events);
      await until(`c${caller} has heard all`, () => (records[caller]?.length ?? 0) >= events.length);
      expect(records[caller]).toEqual(events);
      checkAcknowledged(caller, events);
    }
    const changes = journals.reduce((sum, { length }) => sum + length, 0);
    const heard = records.reduce((sum, { length }) => sum + length, 0);
    process.stdout.write(
      `${CYCLES} cycles (${Object.entries(ends)
        .map(([fault, count]) => `${fault}: ${count}`)
        .join(', ')}), ${CALLERS} callers, ${changes} changes, losses: ${changes - heard}\n`,
    );
    expect(changes).toBeGreaterThan(CYCLES);
  },
  TIMEOUT_MS,
);

/**
 * Checks that the journal has each acknowledged change once and in order, and none that was not requested.
 */
function checkAcknowledged(caller: number, events: readonly Event[]): void {
  const values = events.map(({ metadata }) => String(metadata['value']));
  const numbers = values.map((value) => Number(value.slice(`${nameOf(caller)}.`.length)));
  expect(values).toEqual(numbers.map((number) => `${nameOf(caller)}.${number}`));
  expect(numbers).toEqual([...new Set(numbers)].sort((one, other) => one - other));
  expect(numbers.at(-1)).toBeLessThanOrEqual(tried[caller] ?? 0);
  const known = new Set(numbers);
  expect([...(acknowledged[caller] ?? [])].filter((number) => !known.has(number))).toEqual([]);
}
