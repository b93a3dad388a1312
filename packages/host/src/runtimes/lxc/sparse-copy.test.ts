import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { copyLittle } from './sparse-copy.ts';

const MIB = 2 ** 20;
const BLOCK_BYTES = 512;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync('/var/tmp/porthole-sparse-');
});
afterEach(() => rmSync(folder, { recursive: true }));

async function sparse(size: number, places: readonly number[]): Promise<string> {
  const path = join(folder, 'from');
  await using file = await open(path, 'w');
  await file.truncate(size);
  for (const place of places) await file.write(Buffer.from(`data at ${place}`), 0, undefined, place);
  return path;
}

it.each([
  ['data at its start, in the middle and at its end', [0, 5 * MIB, 9 * MIB - 20]],
  ['only a hole', []],
])('A copy of a sparse file is equal and has the same holes: %s', async (_, places) => {
  const from = await sparse(9 * MIB, places);
  const to = join(folder, 'to');
  expect(await copyLittle(from, to, MIB)).toBe(true);
  expect(readFileSync(to).equals(readFileSync(from))).toBe(true);
  expect(statSync(to).blocks * BLOCK_BYTES).toBeLessThan(MIB);
  expect(statSync(to).mode & 0o777).toBe(0o600);
});

it('A file with more data is not copied', async () => {
  const from = await sparse(9 * MIB, [0, 5 * MIB]);
  expect(await copyLittle(from, join(folder, 'to'), 4096)).toBe(false);
});

it('An older, longer copy leaves nothing', async () => {
  const to = join(folder, 'to');
  await copyLittle(await sparse(9 * MIB, [8 * MIB]), to, MIB);
  const from = await sparse(MIB, [5]);
  await copyLittle(from, to, MIB);
  expect(readFileSync(to).equals(readFileSync(from))).toBe(true);
});
