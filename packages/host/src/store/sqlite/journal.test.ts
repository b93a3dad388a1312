import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EventPage, Instance, NewEvent } from '../../core/entities.ts';
import type { JournalLimits } from './journal-limits.ts';
import { statementsOf } from './journal-statements.ts';
import { init } from './migrations/001-init.ts';
import { MIGRATIONS } from './migrations/list.ts';
import { openDatabase } from './open.ts';
import { Store } from './store.ts';

const NOW = '2026-03-01T00:00:00.000Z';
const MS_PER_HOUR = 3_600_000;
const HOURS_PER_DAY = 24;
const TYPES: ReadonlySet<string> = new Set(['config', 'device']);

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync('/var/tmp/porthole-journal-');
  path = join(folder, 'porthole.db');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const event = (instanceId: number | null, key = 'user.a', timestamp = NOW): NewEvent => ({
  instanceId,
  type: instanceId === null ? 'lifecycle' : 'config',
  timestamp,
  metadata: { key, old_value: '', value: '1' },
});

const instance = (id: number): Instance => ({
  id,
  name: `c${id}`,
  architecture: 'x86_64',
  description: '',
  ephemeral: false,
  profiles: [],
  config: {},
  devices: {},
  createdAt: NOW,
  lastStartedAt: NOW,
});

const open = (limits: Partial<JournalLimits> = {}, monotonicMs = () => 0) =>
  new Store(path, { journal: limits, monotonicMs });
const read = (store: Store, instanceId: number | null, after = 0, types = TYPES): EventPage =>
  store.eventsAfter({ instanceId, after, types, events: 1000, bytes: 1_000_000 });
const LIFECYCLE: ReadonlySet<string> = new Set(['lifecycle']);
const instances = (count: number) => Array.from({ length: count }, () => 'instance');
const sequences = ({ events }: EventPage) => events.map(({ sequence }) => sequence);

describe('the journal', () => {
  it('gives the events of one instance after a position, in order, also to a later daemon', () => {
    const first = open();
    first.commit([], [event(1, 'user.a'), event(2), event(1, 'user.b')]);
    first.commit([], [event(null), event(1, 'user.c')]);
    first.close();
    const later = open();
    expect(sequences(read(later, 1))).toEqual([1, 3, 5]);
    expect(read(later, 1, 3).events).toEqual([{ ...event(1, 'user.c'), sequence: 5 }]);
    expect(sequences(read(later, 1, 5))).toEqual([]);
    expect(sequences(read(later, null, 0, new Set(['lifecycle'])))).toEqual([4]);
    expect(later.journalSpan(1)).toEqual({ oldest: 0, newest: 5 });
    later.close();
  });

  it('gives only events of the requested types', () => {
    const store = open();
    store.commit([], [event(1), { ...event(1), type: 'device' }]);
    expect(sequences(read(store, 1, 0, new Set(['device'])))).toEqual([2]);
    expect(sequences(read(store, 1, 0, new Set()))).toEqual([]);
    store.close();
  });

  it('says that a reader who has seen everything has missed what is missing', () => {
    const store = open();
    store.commit([], [event(1), event(2)]);
    const { newest } = store.journalSpan(2);
    store.commit(
      [1, 2].map((instanceId) => ({ kind: 'break-history', instanceId }) as const),
      [],
    );
    for (const id of [1, 2]) expect(store.journalSpan(id).oldest).toBeGreaterThan(newest);
    const { oldest } = store.journalSpan(2);
    expect(store.journalSpan(2).newest).toBe(oldest);
    store.close();
    const next = open();
    expect(next.journalSpan(1)).toEqual({ oldest, newest: oldest });
    next.commit([], [event(1)]);
    expect(sequences(read(next, 1, oldest))).toEqual([oldest + 1]);
    next.close();
  });

  it('limits a page to the requested events and bytes, but gives at least one event', () => {
    const store = open();
    store.commit([], [event(1), event(1), event(1)]);
    const page = (events: number, bytes: number) =>
      store.eventsAfter({ instanceId: 1, after: 0, types: TYPES, events, bytes });
    expect([sequences(page(2, 1_000)), page(2, 1_000).more]).toEqual([[1, 2], true]);
    expect([sequences(page(3, 1_000)), page(3, 1_000).more]).toEqual([[1, 2, 3], false]);
    expect([sequences(page(3, 1)), page(3, 1).more]).toEqual([[1], true]);
    store.close();
  });

  it('never uses a sequence number twice, also if all events are gone', () => {
    const store = open();
    store.commit([{ kind: 'put-instance', instance: instance(1) }], [event(1), event(1)]);
    store.commit([{ kind: 'delete-instance', id: 1 }], []);
    expect(store.journalSpan(1)).toEqual({ oldest: 0, newest: 2 });
    store.close();
    const later = open();
    expect(later.journalSpan(null)).toEqual({ oldest: 0, newest: 2 });
    expect(later.commit([], [event(2)])[0]?.sequence).toBe(3);
    later.close();
  });

  it('tells a reader of a break, also one that knows the newest event, and keeps it over a restart', () => {
    const first = open();
    first.commit([], [event(1), event(2), event(1)]);
    const { newest } = first.journalSpan(1);
    first.commit(
      [1, 2].map((instanceId) => ({ kind: 'break-history', instanceId })),
      [event(1, 'user.b')],
    );
    expect(first.journalSpan(1)).toEqual({ oldest: newest + 1, newest: newest + 2 });
    expect(sequences(read(first, 1, newest + 1))).toEqual([newest + 2]);
    first.close();
    const later = open();
    expect(later.journalSpan(2)).toEqual({ oldest: newest + 1, newest: newest + 2 });
    later.commit([{ kind: 'break-history', instanceId: 1 }], []);
    later.close();
    expect(open().journalSpan(1)).toEqual({ oldest: newest + 3, newest: newest + 3 });
  });

  it('is unchanged after a commit that fails', () => {
    const store = open({ instanceEvents: 2 });
    store.commit([], [event(1), event(1)]);
    const alias = { name: 'a', target: 'nothing', description: '' };
    expect(() => store.commit([{ kind: 'put-alias', alias }], [event(1), event(1)])).toThrow();
    expect(store.journalSpan(1)).toEqual({ oldest: 0, newest: 2 });
    expect(sequences(read(store, 1))).toEqual([1, 2]);
    store.commit([], [event(1)]);
    expect(sequences(read(store, 1))).toEqual([2, 3]);
    store.close();
  });

  it('keeps the newest events of each instance, and says which positions have missed nothing', () => {
    const store = open({ instanceEvents: 2 });
    store.commit([], [event(2)]);
    for (let round = 0; round < 4; round++) store.commit([], [event(1)]);
    expect(sequences(read(store, 1))).toEqual([4, 5]);
    expect(store.journalSpan(1)).toEqual({ oldest: 3, newest: 5 });
    // The busy instance has taken no room from this one.
    expect(store.journalSpan(2)).toEqual({ oldest: 0, newest: 5 });
    store.close();
    const later = open();
    expect(later.journalSpan(1)).toEqual({ oldest: 3, newest: 5 });
    later.close();
  });

  it('keeps the newest events of all, and leaves at least half of the room to instances', () => {
    const store = open({ events: 4, sureEvents: 0 });
    store.commit([], [event(1), event(2)]);
    for (let round = 0; round < 5; round++) store.commit([], [event(null)]);
    expect(sequences(read(store, null, 0, new Set(['lifecycle'])))).toEqual([6, 7]);
    expect([sequences(read(store, 1)), sequences(read(store, 2))]).toEqual([[1], [2]]);
    store.commit([], [event(3)]);
    expect([sequences(read(store, 1)), sequences(read(store, 2))]).toEqual([[], [2]]);
    expect(store.journalSpan(1)).toEqual({ oldest: 1, newest: 8 });
    store.close();
  });

  it('drops events that are too old, also while nothing is written', () => {
    let hours = 0;
    const store = open({ days: 1 }, () => hours * MS_PER_HOUR);
    store.commit([], [event(1, 'user.a')]);
    hours = 12;
    store.commit([], [event(1, 'user.b')]);
    hours = 24;
    store.trimJournal();
    expect(sequences(read(store, 1))).toEqual([1, 2]);
    hours = 25;
    store.trimJournal();
    expect(sequences(read(store, 1))).toEqual([2]);
    hours = 37;
    store.trimJournal();
    expect(sequences(read(store, 1))).toEqual([]);
    expect(store.journalSpan(1)).toEqual({ oldest: 2, newest: 2 });
    store.close();
  });

  it('leaves the database alone while no event is too old and no owner has too many', () => {
    let hours = 0;
    const database = openDatabase(path);
    const begun: string[] = [];
    const exec = database.exec.bind(database);
    database.exec = (sql) => {
      begun.push(...sql.split(' ', 1).filter((word) => word === 'BEGIN'));
      exec(sql);
    };
    const trims = (store: Store) => {
      begun.length = 0;
      store.trimJournal();
      return begun.length;
    };
    const store = new Store(path, { journal: { days: 1 }, monotonicMs: () => hours * MS_PER_HOUR }, database);
    store.commit([], [event(1), event(2)]);
    expect(trims(store)).toBe(0);
    // The minutes are saved each hour; the oldest event is found the first time that one could be too old.
    const found = Array.from({ length: 50 }, () => {
      hours += 0.5;
      return [hours, trims(store)].join();
    });
    expect(found.filter((each) => each.endsWith('.5,1'))).toEqual(['24.5,1']);
    expect(sequences(read(store, 1))).toEqual([]);
    store.close();
  });

  it('counts the age of events only while the journal is open, for any jumps of the clock', () => {
    const run = fc.record({
      clock: fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') }),
      hours: fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(run, { maxLength: 3 }), (runs) => {
        let open = 0;
        const written: number[] = [];
        for (const { clock, hours } of runs) {
          let now = 0;
          const store = new Store(path, { journal: { days: 1 }, monotonicMs: () => now });
          for (const pause of hours) {
            now += pause * MS_PER_HOUR;
            open += pause;
            store.trimJournal();
            store.commit([], [event(1, 'user.a', clock.toISOString())]);
            written.push(open);
          }
          const kept = new Set(sequences(read(store, 1)));
          for (const [index, at] of written.entries())
            expect(kept.has(index + 1)).toBe(open - at <= HOURS_PER_DAY);
          store.close();
        }
        for (const suffix of ['', '-wal']) rmSync(`${path}${suffix}`, { force: true });
      }),
      { numRuns: 10 },
    );
  });

  it('drops a limited number of events at a time', () => {
    const old = open();
    old.commit(
      [],
      Array.from({ length: 2500 }, () => event(1)),
    );
    old.close();
    const store = open({ instanceEvents: 100 });
    store.trimJournal();
    expect(store.journalSpan(1).oldest).toBe(1000);
    store.trimJournal();
    store.trimJournal();
    expect(store.journalSpan(1).oldest).toBe(2400);
    store.close();
  });

  it('keeps the events of an earlier version', () => {
    const before = openDatabase(path, [init]);
    before.exec("INSERT INTO instances VALUES (7, 'c7', '', '', 0, '[]', '{}', '{}', '', '')");
    before.exec("INSERT INTO events VALUES (41, 7, 'config', '', '{}'), (42, NULL, 'lifecycle', '', '{}')");
    before.close();
    const store = open();
    expect(store.journalSpan(7)).toEqual({ oldest: 40, newest: 42 });
    expect(store.journalSpan(null)).toEqual({ oldest: 40, newest: 42 });
    expect(sequences(read(store, 7, 40))).toEqual([41]);
    store.close();
  });

  it('says up to which position it has searched, also if nothing was found', () => {
    const store = open();
    store.commit([], [event(1), event(2), event(1), event(2)]);
    const page = (after: number, events: number, types = TYPES) =>
      store.eventsAfter({ instanceId: 1, after, types, events, bytes: 1_000 });
    expect(page(0, 1)).toMatchObject({ more: true, reached: 1 });
    expect(page(1, 1)).toMatchObject({ more: false, reached: 4 });
    expect(page(0, 9, new Set(['device', 'unheard-of']))).toEqual({ events: [], more: false, reached: 4 });
    store.close();
  });

  it('uses an index, so that it reads no events of other types or readers', () => {
    const database = openDatabase(path);
    const { pages } = statementsOf(database);
    const plans = [...pages.values()].map((statement) =>
      database.prepare(`EXPLAIN QUERY PLAN ${statement.sourceSQL}`).all(1, 0, 9, 1),
    );
    for (const plan of plans) {
      expect(plan.map(({ detail }) => detail)).toEqual([
        'SEARCH events USING INDEX events_by_reader (instance_id=? AND type=? AND rowid>? AND rowid<?)',
      ]);
    }
    database.close();
  });

  it('gives events of several types in the order of their sequence numbers', () => {
    const store = open();
    const types = ['config', 'device', 'device', 'config', 'config', 'device'] as const;
    store.commit(
      [],
      types.map((type) => ({ ...event(1), type })),
    );
    const { events } = read(store, 1);
    expect(events.map(({ type }) => type)).toEqual(types);
    expect(sequences({ events, more: false, reached: 0 })).toEqual([1, 2, 3, 4, 5, 6]);
    store.close();
  });

  it('keeps the events of operators if an instance causes many events of the host', () => {
    const store = open({ events: 20, instanceEvents: 6 });
    store.commit([], [event(null, 'operator')]);
    for (let write = 0; write < 100; write++) {
      store.commit([], [event(1), { ...event(null, 'instance'), causedBy: 1 }]);
    }
    const { events } = read(store, null, 0, LIFECYCLE);
    expect(events.map(({ metadata }) => metadata['key'])).toEqual(['operator', ...instances(3)]);
    expect(store.journalSpan(null).oldest).toBe(0);
    expect(sequences(read(store, 1))).toHaveLength(3);
    store.close();
  });

  it('drops events of the instances that have the most if there are too many in total', () => {
    const store = open({ events: 40, sureEvents: 10, instanceEvents: 100 });
    store.commit([], [event(null), event(3), event(null)]);
    for (let write = 0; write < 60; write++) store.commit([], [event(1), event(2)]);
    expect(sequences(read(store, 3))).toEqual([2]);
    expect(sequences(read(store, null, 0, LIFECYCLE))).toEqual([1, 3]);
    const [one, two] = [read(store, 1).events.length, read(store, 2).events.length];
    expect([one + two, Math.abs(one - two) <= 1]).toEqual([37, true]);
    store.close();
  });

  it('drops the events of a deleted instance, a few at a time', async () => {
    const store = open();
    store.commit(
      [{ kind: 'put-instance', instance: instance(1) }],
      Array.from({ length: 200 }, () => ({ ...event(null), causedBy: 1 })),
    );
    store.commit([], [event(2)]);
    store.commit([{ kind: 'delete-instance', id: 1 }], []);
    await vi.waitUntil(() => read(store, null, 0, LIFECYCLE).events.length === 0, { timeout: 5_000 });
    expect(sequences(read(store, 2))).toEqual([201]);
    store.close();
  });

  it('gives operators all events of operators after a position that is not too old', () => {
    const write = fc.record({ by: fc.integer({ min: 0, max: 3 }), told: fc.boolean() });
    const limits = fc.record({
      events: fc.integer({ min: 4, max: 30 }),
      instanceEvents: fc.integer({ min: 1, max: 6 }),
    });
    fc.assert(
      fc.property(fc.array(write, { maxLength: 60 }), limits, (writes, some) => {
        const store = new Store(':memory:', { journal: some });
        const written = writes.flatMap(({ by, told }) =>
          store.commit([], [by === 0 ? event(null) : told ? { ...event(null), causedBy: by } : event(by)]),
        );
        const { oldest } = store.journalSpan(null);
        const found = read(store, null, oldest, LIFECYCLE).events.map(({ sequence }) => sequence);
        const own = written.filter(({ instanceId, causedBy }) => instanceId === null && !causedBy);
        // Half of the journal is for events of operators; instances cannot use it.
        expect(own.filter(({ sequence }) => sequence > oldest).length).toBe(
          Math.min(own.length, Math.floor(some.events / 2)),
        );
        for (const { sequence } of own) expect(found.includes(sequence)).toBe(sequence > oldest);
        const { newest } = store.journalSpan(1);
        expect(newest).toBe(written.length);
        store.close();
      }),
    );
  }, 30_000);

  it('keeps many events of an earlier version', () => {
    const before = openDatabase(path, MIGRATIONS.slice(0, 3));
    before.exec(`
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
      INSERT INTO events SELECT i, nullif(i % 200, 0), iif(i % 200, 'config', 'lifecycle'), '', '{"key":"user.a"}' FROM n`);
    before.close();
    const store = open();
    expect(sequences(read(store, 1, 0)).slice(0, 2)).toEqual([1, 201]);
    expect(sequences(read(store, null, 0, LIFECYCLE))).toHaveLength(100);
    store.close();
  });

  it('has every event of an instance after a position that is not too old, for any writes and drops', () => {
    const step = fc.record({ owners: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 }) });
    const limits = fc.record({
      events: fc.integer({ min: 2, max: 12 }),
      instanceEvents: fc.integer({ min: 1, max: 6 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), limits, (steps, some) => {
        const store = new Store(':memory:', { journal: some });
        const written: { owner: number; sequence: number }[] = [];
        for (const { owners } of steps) {
          const stored = store.commit(
            [],
            owners.map((owner) => event(owner === 0 ? null : owner)),
          );
          for (const { instanceId, sequence } of stored) written.push({ owner: instanceId ?? 0, sequence });
        }
        for (const owner of [1, 2, 3]) {
          const { oldest, newest } = store.journalSpan(owner);
          const own = written.filter((each) => each.owner === owner).map(({ sequence }) => sequence);
          expect(sequences(read(store, owner, oldest))).toEqual(own.filter((each) => each > oldest));
          expect(newest).toBe(written.length);
        }
        store.close();
      }),
    );
  });

  it('keeps the sure events of each instance, for any writes, and not many more than its limits allow', () => {
    const limits = fc.record({
      events: fc.integer({ min: 2, max: 40 }),
      sureEvents: fc.integer({ min: 0, max: 8 }),
      instanceEvents: fc.integer({ min: 1, max: 12 }),
    });
    const writes = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 150 });
    fc.assert(
      fc.property(writes, fc.integer({ min: 1, max: 20 }), limits, (owners, atOnce, some) => {
        const store = new Store(':memory:', { journal: some });
        for (let at = 0; at < owners.length; at += atOnce) {
          store.commit(
            [],
            owners.slice(at, at + atOnce).map((owner) => event(owner)),
          );
          store.trimJournal();
        }
        const sure = Math.min(some.sureEvents, some.instanceEvents);
        let total = 0;
        for (let owner = 1; owner <= 9; owner++) {
          const written = owners.filter((each) => each === owner).length;
          const kept = read(store, owner).events.length;
          expect(kept).toBeGreaterThanOrEqual(Math.min(written, sure));
          expect(kept).toBeLessThanOrEqual(some.instanceEvents);
          total += kept;
        }
        expect(total).toBeLessThanOrEqual(Math.max(some.events, 9 * sure));
        store.close();
      }),
    );
  });

  it('drops what a large change has made too many while it is idle, some at a time', async () => {
    // More than are dropped at a time.
    const COUNT = 600;
    const store = open({ events: 400, sureEvents: 1 });
    const stage = (count: number) =>
      store.stage(
        Array.from({ length: count }, (_, at) => ({
          instanceId: at + 1,
          instance: null,
          events: [event(at + 1)],
        })),
      );
    for (let change = 0; change < 2; change++) {
      store.beginStaging();
      stage(COUNT);
      store.commitStaged([], [], []);
    }
    const total = () =>
      Array.from({ length: COUNT }, (_, at) => read(store, at + 1).events.length).reduce(
        (sum, each) => sum + each,
      );
    expect(total()).toBe(2 * COUNT);
    // It may take as long as the test: on a busy machine the store is idle late.
    while (total() > COUNT) await sleep(5);
    expect(total()).toBe(COUNT);
    expect(store.journalSpan(1).oldest).toBeGreaterThan(0);
    store.close();
  });
});
