import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../src/process/run.ts';
import { until } from '../harness/api.ts';
import { Crowd } from '../harness/crowd.ts';
import { TestDaemon } from '../harness/daemon.ts';
import { Operator } from '../harness/operator.ts';

const COUNT = 5_000;
/** Requests of the operator at the same time. */
const PARALLEL = 16;
const WAIT_MS = 120_000;
/** Most memory for each instance that holds a connection, on top of the daemon's memory without instances. */
const BYTES_PER_INSTANCE_MAX = 100 * 1024;
/**
 * Most descriptors without instances. Each instance adds its init, its websocket, and the process at the
 * other end.
 */
const FILES = 100;

let daemon: TestDaemon;
let operator: Operator;
let crowd: Crowd;
let emptyBytes: number;

beforeAll(async () => {
  daemon = await TestDaemon.start();
  operator = new Operator(daemon);
  emptyBytes = residentBytes();
  crowd = await Crowd.make(COUNT);
});
afterAll(async () => {
  await crowd?.[Symbol.asyncDispose]();
  await daemon?.destroy();
  if (!daemon) return;
  expect(existsSync(daemon.stateDir)).toBe(false);
  expect((await run('ps', ['-eo', 'args'])).stdout).not.toContain(daemon.stateDir);
});

const numbers = Array.from({ length: COUNT }, (_, number) => number);
const nameOf = (number: number) => `crowd${number}`;
const filesOpen = () => readdirSync(`/proc/${daemon.pid}/fd`).length;

function residentBytes(): number {
  const status = readFileSync(`/proc/${daemon.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1]) * 1024;
}

/** Does something for every instance, several at a time. */
async function forAll(work: (number: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < COUNT) await work(next++);
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
}

const adopt = (number: number) => {
  const source = { type: 'adopt', pid: crowd.pid(number) };
  const json = { name: nameOf(number), source, config: { 'user.id': `id-${number}` } };
  return operator.client.change('POST', '/1.0/instances', { json });
};

const keyOf = (event: string) => (JSON.parse(event) as { metadata: unknown }).metadata;

describe(`${COUNT} instances, each in its own namespaces, connected at the same time`, () => {
  it(
    'each get their own value, and no other one',
    async () => {
      await forAll(adopt);
      crowd.ask(daemon.guestSocket);
      await until('an answer for each', () => crowd.members.every(({ answer }) => answer !== null), WAIT_MS);
      const told = crowd.members.map(({ status, answer }) => [status, answer]);
      expect(told).toEqual(numbers.map((number) => [101, `id-${number}`]));
    },
    2 * WAIT_MS,
  );

  it('each get the event of their own change, once, and no other event', async () => {
    await forAll((number) => operator.patch(nameOf(number), { config: { 'user.id': `new-${number}` } }));
    await until('an event for each', () => crowd.members.every(({ events }) => events.length > 0), WAIT_MS);
    expect(crowd.members.map(({ events }) => events.map(keyOf))).toEqual(
      numbers.map((number) => [{ key: 'user.id', old_value: `id-${number}`, value: `new-${number}` }]),
    );
    expect(crowd.members.some(({ closed }) => closed)).toBe(false);
  });

  it('cost the daemon little memory, and three descriptors each', () => {
    expect((residentBytes() - emptyBytes) / COUNT).toBeLessThan(BYTES_PER_INSTANCE_MAX);
    expect(filesOpen()).toBeGreaterThan(2 * COUNT);
    expect(filesOpen()).toBeLessThan(3 * COUNT + FILES);
  });

  it('lose their connections within a second when a profile switches the guest API off', async () => {
    const profile = '/1.0/profiles/default';
    const started = performance.now();
    await operator.client.change('PATCH', profile, { json: { config: { 'security.devlxd': 'false' } } });
    const changedMs = performance.now() - started;
    await until('the end for each', () => crowd.members.every(({ closed }) => closed), WAIT_MS);
    expect(performance.now() - started - changedMs).toBeLessThan(1000);
    expect(filesOpen()).toBeLessThan(2 * COUNT + FILES);
  });

  it('are recognised by the next daemon, which notices their ends', async () => {
    await daemon.restart();
    expect(new Set(Object.values(await operator.statuses()))).toEqual(new Set(['Running']));
    await crowd[Symbol.asyncDispose]();
    const ended = async () =>
      Object.values(await operator.statuses()).every((status) => status === 'Stopped');
    await until('all are seen to have ended', ended, WAIT_MS);
    expect(filesOpen()).toBeLessThan(FILES);
  });
});

describe('a limit on open files that is too low', () => {
  it('is logged at the start', async () => {
    await using low = await TestDaemon.start(['--guest-connections-total', '1048576']);
    const told = low.log.find(({ msg }) => msg.includes('the limit on open files is too low'));
    expect(told).toMatchObject({ level: 'warn', wanted: expect.any(Number), openFiles: expect.any(Number) });
  });
});
