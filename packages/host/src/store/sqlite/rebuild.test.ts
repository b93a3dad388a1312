import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test as it } from 'vitest';
import type { Instance, State } from '../../core/entities.ts';
import { inspectCopy, readCopy } from './inspect.ts';
import { rebuild } from './rebuild.ts';
import { Store } from './store.ts';

const POSITION = 1_796_000_000_000_000;
const instance: Instance = {
  ...{ id: 3, name: 'c1', architecture: 'x86_64', description: '', ephemeral: false, profiles: ['p'] },
  ...{ config: { 'user.a': 'ü' }, devices: {}, createdAt: '', lastStartedAt: '' },
};
const state: State = {
  instances: new Map([[3, instance]]),
  profiles: new Map([['p', { name: 'p', description: '', config: {}, devices: {} }]]),
  images: new Map(),
  aliases: new Map(),
};
const rebuilt = {
  ...{ directoryId: 'ab'.repeat(16), state, keptFolders: [7], keptImages: ['f'] },
  ...{ lastInstanceId: 1_000_007, position: POSITION },
};

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync('/var/tmp/porthole-rebuild-');
  path = join(folder, 'porthole.db');
  rebuild(path, rebuilt);
});
afterEach(() => rmSync(folder, { recursive: true }));

it('makes one file, for root alone, that passes each check', () => {
  expect(readdirSync(folder)).toEqual(['porthole.db']);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(inspectCopy(path, true)).toMatchObject({
    id: rebuilt.directoryId,
    position: POSITION,
    instances: 1,
  });
  expect(readCopy(path)).toEqual({ state, position: POSITION, lastInstanceId: 1_000_007 });
});

it('gives no id and no position twice, and takes no reader for up to date', () => {
  const store = new Store(path);
  expect(store.load()).toEqual(state);
  expect(store.nextInstanceId()).toBe(1_000_008);
  expect([store.keptFolders(), store.keptImages()]).toEqual([new Set([7]), new Set(['f'])]);
  for (const reader of [null, 3])
    expect(store.journalSpan(reader)).toEqual({ oldest: POSITION, newest: POSITION });
  const [event] = store.commit(
    [],
    [{ instanceId: 3, type: 'config', timestamp: '', metadata: { key: 'user.a' } }],
  );
  expect(event?.sequence).toBe(POSITION + 1);
  store.close();
  const again = new Store(path);
  expect(again.journalSpan(3)).toEqual({ oldest: POSITION, newest: POSITION + 1 });
  const page = { instanceId: 3, after: POSITION, types: new Set(['config']), events: 10, bytes: 1000 };
  expect(again.eventsAfter(page).events).toMatchObject([{ sequence: POSITION + 1 }]);
  again.close();
});
