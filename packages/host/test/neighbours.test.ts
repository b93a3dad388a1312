import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BACKLOG } from '../src/http/listener.ts';
import { ask, until } from './harness/api.ts';
import { Crowd } from './harness/crowd.ts';
import { TestDaemon } from './harness/daemon.ts';
import { Operator } from './harness/operator.ts';

/** Connections that an attacker tries to hold. */
const MANY = 400;
/** The same for attacks in which each connection needs a process. */
const MANY_GONE = 100;
const COMMON = 60;
const PER_INSTANCE = 40;
/** Descriptors on top of the attackers' few connections: for short requests of others. */
const FILES_AROUND = 24;
/** Most descriptors at rest: for instances, known processes and the daemon's own sockets. */
const FILES_AT_REST = 120;
const SURE = 4;
const NOBODY = 65_534;
const PROGRAM = fileURLToPath(new URL('./programs/hold.py', import.meta.url));

let daemon: TestDaemon;
let crowd: Crowd;

beforeAll(async () => {
  const limits = ['--guest-connections', String(PER_INSTANCE), '--guest-connections-total', String(COMMON)];
  daemon = await TestDaemon.start(limits);
  const { client } = new Operator(daemon);
  crowd = await Crowd.make(7);
  for (const number of [0, 1, 2, 3, 4, 5]) {
    const source = { type: 'adopt', pid: crowd.pid(number) };
    await client.change('POST', '/1.0/instances', {
      json: { name: `c${number}`, source, config: { 'user.id': `id-${number}` } },
    });
  }
});
afterAll(async () => {
  await crowd?.[Symbol.asyncDispose]();
  await daemon?.destroy();
});

const filesOpen = () => readdirSync(`/proc/${daemon.pid}/fd`).length;
const idOf = async (number: number) =>
  (await ask(daemon, { init: crowd.pid(number) }, '/1.0/config/user.id')).body;
/** A request that the fast lane leaves to the main thread. */
const eventsOf = async (number: number) =>
  (await ask(daemon, { init: crowd.pid(number) }, '/1.0/events?since=now&limit=1')).status;

/** A program that holds connections, in an instance or as a user of the host. */
class Holder implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #said: Promise<number>;

  constructor(where: { readonly instance: number } | { readonly uid: number }, count: number, how: string) {
    const entered =
      'instance' in where
        ? ['-t', String(crowd.pid(where.instance)), '-U', '-p', '-S', '0', '-G', '0']
        : ['-S', String(where.uid), '-G', String(where.uid)];
    const args = [
      ...entered,
      '--',
      '/usr/bin/python3',
      '-B',
      PROGRAM,
      daemon.guestSocket,
      String(count),
      how,
    ];
    this.#child = spawn('nsenter', args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#exited = once(this.#child, 'exit');
    this.#said = once(this.#child.stdout!, 'data').then(([data]) => Number(String(data)));
  }

  /** How many connections it holds after all its attempts. */
  holds(): Promise<number> {
    return this.#said;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }
}

describe.each([
  ['users of the host', 'ask', { uid: NOBODY }],
  ['processes that have ended', 'gone', { instance: 0 }],
  ['containers that are not an instance', 'ask', { instance: 6 }],
] as const)('%s that hold all connections they can get', (_who, how, where) => {
  let before: number;
  beforeEach(async () => {
    await until('connections of before are gone', () => filesOpen() <= FILES_AT_REST);
    before = filesOpen();
  });

  it('cost few descriptors, and do not affect instances', async () => {
    const many = how === 'gone' ? MANY_GONE : MANY;
    await using holder = new Holder(where, many, how);
    expect(await holder.holds()).toBe(how === 'gone' ? many : 0);
    // Some connections are accepted before their process has ended: they count as the instance's.
    const most = before + FILES_AROUND + (how === 'gone' ? PER_INSTANCE : 0);
    await until('what is too much is closed', () => filesOpen() <= most);
    expect([await idOf(1), await eventsOf(1)]).toEqual(['id-1', 200]);
  });
});

/** How many connections one instance can put into the queue before those of all others. */
async function queued(): Promise<number> {
  process.kill(daemon.pid, 'SIGSTOP');
  try {
    await using filler = new Holder({ instance: 0 }, 0, 'fill');
    return await filler.holds();
  } finally {
    process.kill(daemon.pid, 'SIGCONT');
  }
}

it('an instance that connects and hangs up again and again does not fill the queue for others', async () => {
  await queued();
  // A full queue refuses curl: it is answered when all those connections have been accepted.
  await until('the queue is empty', async () => (await idOf(1).catch(() => '')) === 'id-1');
  expect(await queued()).toBeLessThan(BACKLOG / 4);
  expect([await idOf(1), await eventsOf(1)]).toEqual(['id-1', 200]);
});

it('an instance that sends descriptors whose last close takes a minute delays nobody', async () => {
  await using sender = new Holder({ instance: 0 }, 4, 'pass');
  const passed = await sender.holds();
  expect([await idOf(1), await eventsOf(1)]).toEqual(['id-1', 200]);
  expect(passed).toBe(0);
});

describe('instances that hold all connections they can get', () => {
  it('leave every other instance its guaranteed connections', async () => {
    await using one = new Holder({ instance: 0 }, MANY, 'ask');
    await using two = new Holder({ instance: 1 }, MANY, 'ask');
    const held = [await one.holds(), await two.holds()];
    // Each has its guaranteed connections and its part of the common ones, which are used up.
    expect(held[0]! + held[1]!).toBe(COMMON + 2 * SURE);
    for (const number of [2, 3, 4, 5]) {
      await using other = new Holder({ instance: number }, SURE, 'ask');
      expect(await other.holds()).toBe(SURE);
    }
    expect([await idOf(2), await eventsOf(2)]).toEqual(['id-2', 200]);
  });

  it('free the connections when they end', async () => {
    await until('they are free', async () => {
      await using one = new Holder({ instance: 2 }, PER_INSTANCE, 'ask');
      return (await one.holds()) === PER_INSTANCE;
    });
  });
});
