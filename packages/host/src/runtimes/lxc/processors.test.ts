import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { processorsFor, setOf } from './processors.ts';

const ONLINE = [0, 1, 2, 3];

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'porthole-processors-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Begins a container that is limited to a set of processors. */
function limited(name: string, set: string): void {
  mkdirSync(join(folder, name));
  writeFileSync(join(folder, name, 'cpuset.cpus'), `${set}\n`);
}
const choose = (value: string, { now = '', seed = 0, online = ONLINE } = {}) =>
  processorsFor(value, { now, folder, seed }, online);

it('leaves a set as it is', async () => {
  expect(await choose('0-1,3')).toBe('0-1,3');
  expect(await choose('7', { online: [7] })).toBe('7');
});

it('gives a count those to which the fewest containers are limited', async () => {
  limited('lxc.payload.1', '0-1');
  limited('lxc.payload.2', '0,3');
  expect(await Promise.all([choose('1'), choose('2'), choose('3')])).toEqual(['2', '1,2', '1,2,3']);
});

it('spreads containers with the same count evenly', async () => {
  const given: string[] = [];
  for (const id of [1, 2, 3, 4, 5, 6, 7, 8]) {
    const set = await choose('1', { seed: 0 });
    limited(`lxc.payload.${id}`, set);
    given.push(set);
  }
  expect(given.slice(0, 4).sort()).toEqual(['0', '1', '2', '3']);
  expect(given.slice(4).sort()).toEqual(['0', '1', '2', '3']);
});

it('counts neither containers with all processors nor other cgroups', async () => {
  limited('lxc.payload.1', '0-3');
  limited('lxc.payload.2', '');
  limited('lxc.monitor.3', '0');
  limited('machine.slice', '0');
  expect(await choose('1')).toBe('0');
});

it('gives containers that start at the same moment different ones', async () => {
  expect(await Promise.all([1, 2].map((seed) => choose('2', { seed })))).toEqual(['2,3', '0,1']);
});

it('keeps what a container has if the count is right and all are online', async () => {
  limited('lxc.payload.1', '3');
  expect(await choose('1', { now: '3' })).toBe('3');
  expect(await choose('2', { now: '3' })).toBe('0,1');
  expect(await choose('1', { now: '5' })).toBe('0');
});

it('gives all to a count that is higher, also where numbers are missing', async () => {
  expect(await choose('99', { online: [0, 2, 5] })).toBe('0,2,5');
});

it('chooses by the seed where it cannot see the other containers', async () => {
  expect(await processorsFor('1', { now: '', folder: '/nowhere', seed: 3 }, ONLINE)).toBe('3');
});

it('leaves the main thread to other work while it looks at many containers', async () => {
  for (let id = 0; id < 1000; id++) limited(`lxc.payload.${id}`, '0');
  const choice = choose('1', { seed: 1 });
  let turns = 0;
  let chosen = false;
  const turn = () => {
    turns++;
    if (!chosen) setImmediate(turn);
  };
  setImmediate(turn);
  expect(await choice.finally(() => (chosen = true))).toBe('1');
  expect(turns).toBeGreaterThanOrEqual(10);
});

it.each([
  ['', []],
  ['0', [0]],
  ['3,0-1', [0, 1, 3]],
])('reads the set "%s"', (text, expected) => {
  expect(setOf(text)).toEqual(expected);
});
