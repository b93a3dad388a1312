import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test as it } from 'vitest';
import type { Change } from '../../core/entities.ts';
import { Store } from './store.ts';

let folder: string;
let store: Store;
let path: string;
beforeEach(() => {
  folder = mkdtempSync('/var/tmp/porthole-still-');
  path = join(folder, 'porthole.db');
  store = new Store(path, { room: () => 2 ** 40 });
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true });
});

const KEY = 'user.a';
const put = (name: string, bytes = 10): Change => ({
  kind: 'put-profile',
  profile: { name, description: '', config: { [KEY]: 'x'.repeat(bytes) }, devices: {} },
});
const file = () => readFileSync(path);

it('has all commits in the file, which later commits do not change', async () => {
  store.commit([put('before')], []);
  const still = store.holdStill();
  expect(still.isWhole).toBe(true);
  const before = file();
  expect(before.includes('before')).toBe(true);
  for (let turn = 0; turn < 500; turn++) store.commit([put(`p${turn % 10}`)], []);
  expect(file().equals(before)).toBe(true);
  expect(still.isWhole).toBe(true);
  still.end();
  // The pause after which the log is moved.
  await expect.poll(() => file().equals(before)).toBe(false);
});

it('ends early, and says so once, if the log grows too long: commits have priority', () => {
  const still = store.holdStill();
  let broken = 0;
  still.onBroken = () => broken++;
  for (let turn = 0; turn < 12; turn++) store.commit([put('large', 4 * 1024 * 1024)], []);
  expect([still.isWhole, broken]).toEqual([false, 1]);
  still.end();
  expect(store.load().profiles.get('large')?.config[KEY]).toHaveLength(4 * 1024 * 1024);
});

it('ends early when the store closes, and when the next one begins', () => {
  const first = store.holdStill();
  const second = store.holdStill();
  expect([first.isWhole, second.isWhole]).toEqual([false, true]);
  store.close();
  expect(second.isWhole).toBe(false);
  store = new Store(path);
});
