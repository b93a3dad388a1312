import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../src/process/run.ts';
import { until } from './harness/api.ts';
import { CallerTools } from './harness/caller.ts';
import { Crowd } from './harness/crowd.ts';
import { TestDaemon } from './harness/daemon.ts';
import { Operator } from './harness/operator.ts';

const CONNECTIONS = '128';
const ASKED_MS = '2000';
/** Most answers that the flooding instance gets while another waits for one, which takes a few turns. */
const MEANWHILE_MAX = 400;
/** The same for cheap requests, of which 32 wait on each connection: without turns it would be some 18,000. */
const CHEAP_MEANWHILE_MAX = 2_000;
/** Memory that the daemon may keep after a flood. */
const LEFT_BYTES_MAX = 64 * 1024 * 1024;
const BACK_WITHIN_MS = 60_000;
/** A flood of changes; the answers of one connection fit into its kernel buffer. */
const FLOOD = { connections: 120, changes: 150 };
const ORDER = fileURLToPath(new URL('./programs/order.py', import.meta.url));
const ORDER_TIMEOUT_MS = 60_000;
const NAMES = ['flooding', 'other', 'third'];

let daemon: TestDaemon;
let operator: Operator;
let crowd: Crowd;
let tools: CallerTools;

beforeAll(async () => {
  daemon = await TestDaemon.start();
  operator = new Operator(daemon);
  tools = new CallerTools();
  crowd = await Crowd.make(NAMES.length);
  for (const [number, name] of NAMES.entries()) {
    const source = { type: 'adopt', pid: crowd.pid(number) };
    const config = { 'user.id': name, 'security.devlxd.guest_config': 'true' };
    await operator.client.change('POST', '/1.0/instances', { json: { name, source, config } });
    for (let round = 0; round < 5; round++) await operator.patch(name, { config: manyKeys(round) });
  }
});
afterAll(async () => {
  await crowd?.[Symbol.asyncDispose]();
  await daemon?.destroy();
  tools?.[Symbol.dispose]();
});

/** Keys for the events of a journal: as many as one answer may have, and as large. */
const manyKeys = (round: number) =>
  Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`user.k${at}`, `${round}`.repeat(500)]));

const residentBytes = () =>
  Number(/^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))?.[1]) * 1024;

/** Floods from inside an instance while other work is done. @returns how many answers it had until each time */
async function flood(number: number, kind: string, connections: string, meanwhile: () => Promise<unknown>) {
  const child = tools.spawn(crowd.pid(number), 'flood.mjs', daemon.guestSocket, kind, connections);
  const lines = createInterface({ input: child.stdout! });
  const ended = once(child, 'exit');
  try {
    await once(lines, 'line');
    await meanwhile();
    child.stdin!.end();
    const [counts] = await once(lines, 'line');
    return JSON.parse(counts) as [ms: number, answers: number][];
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

describe('an instance that floods', () => {
  it.each([
    ['deep', MEANWHILE_MAX],
    ['rare', CHEAP_MEANWHILE_MAX],
    ['json', MEANWHILE_MAX],
    ['handshakes', MEANWHILE_MAX],
    ['pings', MEANWHILE_MAX],
  ])('with %s does not keep others from answers', async (kind, most) => {
    let others = { answers: 0, from: 0, to: 0 };
    const ask = async () => {
      const args = [daemon.guestSocket, '/1.0/events?since=now&limit=1', ASKED_MS];
      const asked = await tools.call(crowd.pid(1), 'probe.mjs', ...args);
      if (!asked.ok) throw new Error(asked.failure);
      others = JSON.parse(asked.stdout) as typeof others;
    };
    const counts = await flood(0, kind, CONNECTIONS, ask);
    // Not while the program of the other instance begins: then nobody else asks.
    const upTo = (time: number) => counts.findLast(([ms]) => ms <= time)?.[1] ?? 0;
    const meanwhile = upTo(others.to) - upTo(others.from);
    expect(meanwhile).toBeGreaterThan(0);
    expect(meanwhile / others.answers).toBeLessThan(most);
    await operator.patch('other', { config: { 'user.after': kind } });
  });
});

interface Order {
  /** How many answers the flood had when the other changes were sent, and when the refused one was answered. */
  readonly sent: number;
  readonly answered: number;
  readonly other: readonly string[];
  readonly statuses: Readonly<Record<string, number>>;
}

/**
 * Sends a flood of changes, and after it two changes of another instance: one that is refused, and one that is stored.
 * @returns the order of the answers
 */
async function changesInOrder(): Promise<Order> {
  const inits = [crowd.pid(0), crowd.pid(1)];
  const args = [daemon.guestSocket, ...inits, FLOOD.connections, FLOOD.changes].map(String);
  const ended = await run('/usr/bin/python3', ['-B', ORDER, ...args], { timeoutMs: ORDER_TIMEOUT_MS });
  if (!ended.ok) throw new Error(ended.failure);
  return JSON.parse(ended.stdout) as Order;
}

it('takes a change of one instance before changes of another that were sent earlier, and stores it', async () => {
  const { sent, answered, other, statuses } = await changesInOrder();
  const { 200: stored = 0, 429: refused = 0 } = statuses;
  const all = FLOOD.connections * FLOOD.changes;
  expect({ other, all: stored + refused }).toEqual({ other: ['501', '200'], all });
  // Of the changes that were waiting then, few are answered first; without turns it would be all of them.
  expect(answered - sent).toBeLessThan((all - sent) / 8);
  expect((await operator.get('other')).config['guest.other']).toBe('mine');
});

it('gives memory back after floods', async () => {
  const before = residentBytes();
  let during = before;
  const rest = () => Promise.resolve();
  const nested = ['deep', 'json', 'unread'].reduce<() => Promise<unknown>>(
    (inner, kind, number) => () => flood(number, kind, '250', inner),
    async () => {
      await until('memory has been taken', () => {
        during = Math.max(during, residentBytes());
        return during > before + LEFT_BYTES_MAX;
      }).catch(rest);
    },
  );
  await nested();
  const isBack = () => residentBytes() < before + LEFT_BYTES_MAX;
  await until('memory has come back', isBack, BACK_WITHIN_MS);
});
