import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Instance, NewEvent } from '../src/core/entities.ts';
import { run } from '../src/process/run.ts';
import { Store } from '../src/store/sqlite/store.ts';

const NOW = '2026-03-01T00:00:00.000Z';
const PAGE_BYTES = 4096;
/** The tests wait for a disk, and on a busy machine for the processor. */
const TIMEOUT_MS = 30_000;
const LOG_BYTES_MIN = 256 * PAGE_BYTES;

let folder: string;
let path: string;

beforeEach(async () => {
  folder = mkdtempSync('/var/tmp/porthole-reserve-');
  const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', folder]);
  expect(mounted.failure).toBe('');
  path = join(folder, 'porthole.db');
});
afterEach(async () => {
  await run('umount', ['-l', folder]);
  rmSync(folder, { recursive: true, force: true });
});

const instance = (id: number, description = ''): Instance => ({
  ...{ id, name: `c${id}`, architecture: 'x86_64', description, ephemeral: false, profiles: [] },
  ...{ config: {}, devices: {}, createdAt: NOW, lastStartedAt: NOW },
});

const put = (each: Instance) => ({ kind: 'put-instance', instance: each }) as const;
const event = (value: string): NewEvent => ({
  instanceId: null,
  type: 'lifecycle',
  timestamp: NOW,
  metadata: { value },
});

/** A store with its whole reserve, on a disk that has no free block. */
async function onFullDisk(): Promise<Store> {
  const store = new Store(path);
  store.commit([put(instance(1))], []);
  await vi.waitUntil(() => statSync(path).size > LOG_BYTES_MIN);
  fill();
  return store;
}

function fill(): void {
  const balloon = openSync(join(folder, 'balloon'), 'a');
  try {
    for (;;) writeSync(balloon, Buffer.alloc(PAGE_BYTES));
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' });
  } finally {
    closeSync(balloon);
  }
}

const changes = (store: Store, count: number) => {
  for (let turn = 0; turn < count; turn++) {
    store.commit([put(instance(1, `turn ${turn}`))], [event('x'.repeat(100))]);
  }
};

describe('a store on a full disk', { timeout: TIMEOUT_MS }, () => {
  it('takes thousands of changes, dropping old events for new ones', async () => {
    const store = await onFullDisk();
    changes(store, 1500);
    expect(store.load().instances.get(1)?.description).toBe('turn 1499');
    const page = store.eventsAfter({
      instanceId: null,
      after: store.journalSpan(null).oldest,
      types: new Set(['lifecycle']),
      events: 5000,
      bytes: 1e9,
    });
    expect(page.events.at(-1)?.sequence).toBe(1500);
    store.close();
  });

  it('takes changes also after it was closed and opened again', async () => {
    const before = await onFullDisk();
    changes(before, 10);
    before.close();
    fill();
    const store = new Store(path);
    changes(store, 500);
    store.commit([{ kind: 'delete-instance', id: 1 }], [event('deleted')]);
    expect(store.load().instances.size).toBe(0);
    store.close();
  });

  it('refuses a change that does not fit, loses nothing, and goes on', async () => {
    const store = await onFullDisk();
    const large = put(instance(1, 'x'.repeat(4_000_000)));
    expect(() => store.commit([large], [])).toThrow(/^The disk that holds the state is full: /);
    expect(store.load().instances.get(1)?.description).toBe('');
    changes(store, 100);
    rmSync(join(folder, 'balloon'));
    store.commit([large], []);
    store.close();
    const later = new Store(path);
    expect(later.load().instances.get(1)?.description).toHaveLength(4_000_000);
    later.close();
  });
});

it('a closed store leaves an empty log, so that a copy of the database can be put back', async () => {
  const store = new Store(path);
  store.commit([put(instance(1, 'first'))], []);
  store.close();
  const copy = readFileSync(path);
  const again = new Store(path);
  again.commit([put(instance(1, 'second'))], []);
  again.close();
  rmSync(path);
  const file = openSync(path, 'w');
  writeSync(file, copy);
  closeSync(file);
  const restored = new Store(path);
  expect(restored.load().instances.get(1)?.description).toBe('first');
  restored.close();
  const checked = new DatabaseSync(path);
  expect(checked.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  checked.close();
});
