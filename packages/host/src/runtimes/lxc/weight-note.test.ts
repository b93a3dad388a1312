import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lowerWeight, raiseWeight, type WeightPlace } from './weight-note.ts';

let root: string;
let place: WeightPlace;

beforeEach(() => {
  root = mkdtempSync('/var/tmp/porthole-test-weight-');
  const folders = ['pids', 'cpu', 'unified'].map((name) => join(root, name));
  for (const folder of folders) mkdirSync(folder);
  place = { folders, note: join(root, 'lowered') };
});
afterEach(() => rmSync(root, { recursive: true }));

const [SHARES, WEIGHT] = ['cpu/cpu.shares', 'unified/cpu.weight'];
const write = (file: string, text: string) => writeFileSync(join(root, file), text);
const read = (file: string) => readFileSync(join(root, file), 'utf8').trim();
const isNoted = () => existsSync(place.note);

describe.each([
  ['version 1', SHARES, '1024', '51'],
  ['version 1, with a weight of its own', SHARES, '700', '51'],
  ['version 2', WEIGHT, '100', '5'],
  ['version 2, with a weight of its own', WEIGHT, '10000', '5'],
])('a cgroup of %s', (_, file, before, lowered) => {
  beforeEach(() => write(file, `${before}\n`));

  it('has the low weight, and later what it had', async () => {
    expect(await lowerWeight(place, 5)).toBe(true);
    expect([read(file), isNoted()]).toEqual([lowered, true]);
    await raiseWeight(place);
    expect([read(file), isNoted()]).toEqual([before, false]);
  });

  it('keeps a weight that somebody has given it since', async () => {
    await lowerWeight(place, 5);
    write(file, '60');
    await raiseWeight(place);
    expect([read(file), isNoted()]).toEqual(['60', false]);
  });

  it('keeps the weight that it has after a daemon has died before the change', async () => {
    write('lowered', JSON.stringify({ before: 9999, lowered: Number(lowered) }));
    await raiseWeight(place);
    expect([read(file), isNoted()]).toEqual([before, false]);
  });
});

it.each([
  [SHARES, '51'],
  [SHARES, '2'],
  [WEIGHT, '5'],
  // So the kernel shows the weight of a cgroup with cpu.idle.
  [WEIGHT, '0'],
])('a cgroup with %s = %s has no more than five percent: nothing changes', async (file, weight) => {
  write(file, weight);
  expect(await lowerWeight(place, 5)).toBe(false);
  expect([read(file), isNoted()]).toEqual([weight, false]);
});

it('gives the kernel no less than it takes', async () => {
  write(WEIGHT, '100');
  expect(await lowerWeight(place, 0.1)).toBe(true);
  expect(read(WEIGHT)).toBe('1');
});

it('of two versions, the one that has the controller counts', async () => {
  write(WEIGHT, '100');
  expect(await lowerWeight(place, 5)).toBe(true);
  expect([read(WEIGHT), existsSync(join(root, SHARES))]).toEqual(['5', false]);
});

it('says so where cgroups have no weight', async () => {
  await expect(lowerWeight(place, 5)).rejects.toThrow('no cgroup with the controller cpu');
  expect(isNoted()).toBe(false);
});

it('changes nothing if it cannot be noted', async () => {
  write(SHARES, '1024');
  await expect(lowerWeight({ ...place, note: join(root, 'none/lowered') }, 5)).rejects.toThrow('ENOENT');
  expect(read(SHARES)).toBe('1024');
});

it.each(['', '{', 'null', '[]', '{"before":"x","lowered":51}', '{"lowered":51}'])(
  'a damaged note changes nothing and is removed: %j',
  async (text) => {
    write(SHARES, '51');
    write('lowered', text);
    await raiseWeight(place);
    expect([read(SHARES), isNoted()]).toEqual(['51', false]);
  },
);

it('nothing happens if the cgroup is gone, or nothing was lowered', async () => {
  write('lowered', '{"before":1024,"lowered":51}');
  rmSync(join(root, 'cpu'), { recursive: true });
  await raiseWeight(place);
  await raiseWeight(place);
  expect(isNoted()).toBe(false);
});
