import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../src/base/log.ts';
import type { SharedChange } from '../../src/core/shared.ts';
import { EtcdCluster } from '../../src/etcd/testing/etcd-cluster.ts';
import { EtcdShared } from '../../src/store/etcd/etcd-shared.ts';
import { FleetMember } from '../../src/store/etcd/testing/fleet-member.ts';
import { Replica, textOf } from '../../src/store/testing/replica.ts';
import { sampleInstance, sampleProfile } from '../../src/store/testing/samples.ts';

let cluster: EtcdCluster;
let a: FleetMember;
let b: FleetMember;
let prefix: string;
let fleets = 0;

beforeAll(async () => {
  cluster = await EtcdCluster.start();
});
afterAll(() => cluster[Symbol.asyncDispose]());

beforeEach(async () => {
  prefix = `/fences${++fleets}/`;
  a = await FleetMember.join('a', prefix, cluster.options());
  b = await FleetMember.join('b', prefix, cluster.options());
});
afterEach(async () => {
  await a[Symbol.asyncDispose]();
  await b[Symbol.asyncDispose]();
});

const put = (name: string, value = ''): SharedChange => ({
  kind: 'put-profile',
  profile: sampleProfile(name, value),
});

async function agree(...members: readonly FleetMember[]): Promise<void> {
  const { state } = await b.store.load();
  for (const { replica } of members) await replica.until(() => textOf(replica.state) === textOf(state));
}

describe('a member', () => {
  it('cannot commit when its key is gone, though it believes to be alive; then it gets it again', async () => {
    await b.etcd.txn({ compare: [], success: [{ delete: { key: a.keys.alive('a') } }] });
    expect(a.lease.fence()).not.toBeNull();
    await expect(a.replica.commit([put('p')])).rejects.toMatchObject({ code: 'fleet-cut-off' });
    expect(b.replica.state.profiles.size).toBe(0);
    await a.alive();
    await a.replica.commit([put('p')]);
    await agree(a, b);
  });

  it('loses its place to a later daemon with its name, and does not take it back', async () => {
    const later = await FleetMember.join('a', prefix, cluster.options());
    try {
      await expect(a.replica.commit([put('p')])).rejects.toMatchObject({ code: 'fleet-cut-off' });
      await later.replica.commit([put('p', 'later')]);
      expect(a.lease.fence()).toBeNull();
      await agree(a, later);
      expect(a.replica.told.at(-1)?.isOwn).toBe(false);
    } finally {
      await later[Symbol.asyncDispose]();
    }
    await a.alive();
  });

  it('has its place at once after it was killed, without waiting for the old lease', async () => {
    const start = performance.now();
    const next = await FleetMember.join('a', prefix, cluster.options());
    expect(performance.now() - start).toBeLessThan(2_000);
    await next[Symbol.asyncDispose]();
  });

  it('cannot commit when it has been removed', async () => {
    await b.replica.commit([{ kind: 'delete-member', name: 'a' }]);
    const lost = a.replica.commit([put('p')]);
    await expect(lost).rejects.toMatchObject({ code: 'fleet-not-member', status: 503 });
    expect(b.replica.state.profiles.size).toBe(0);
  });
});

describe('a change that is too large for etcd', () => {
  const many = (count: number) => Array.from({ length: count }, (_, each) => put(`p${each}`));

  it.each([
    ['operations', () => many(127), /129 operations, and the limit is 128/],
    ['bytes', () => [put('large', 'x'.repeat(1_500_000))], /bytes, and the limit is 1500000/],
    [
      'bytes in all',
      () => many(100).map((_, each) => put(`p${each}`, 'ü'.repeat(8_000))),
      /bytes, and the limit/,
    ],
  ])('is refused before anything happens: %s', async (_, changes, message) => {
    const { revision } = await a.store.load();
    const lost = a.replica.commit(changes());
    await expect(lost).rejects.toMatchObject({ code: 'fleet-change-too-large', status: 413 });
    await expect(a.replica.commit(changes())).rejects.toThrow(message);
    expect((await a.store.load()).revision).toBe(revision);
  });

  it.each([
    ['operations', () => many(126)],
    ['bytes', () => [put('large', 'x'.repeat(1_490_000))]],
  ])('is taken up to the limits, by an etcd with its own defaults: %s', async (_, changes) => {
    await a.replica.commit(changes());
    await agree(a, b);
  });

  it('is refused in one sentence by an etcd with smaller limits', async () => {
    const small = await EtcdCluster.start({ flags: ['--max-txn-ops=16', '--max-request-bytes=65536'] });
    try {
      const member = await FleetMember.join('a', prefix, small.options());
      const tooLarge = { code: 'fleet-change-too-large', status: 413 };
      await expect(member.replica.commit(many(30))).rejects.toMatchObject(tooLarge);
      await expect(member.replica.commit([put('p', 'x'.repeat(700_000))])).rejects.toMatchObject(tooLarge);
      expect(member.replica.state.profiles.size).toBe(0);
      await member.replica.commit(many(3));
      await member[Symbol.asyncDispose]();
    } finally {
      await small[Symbol.asyncDispose]();
    }
  });
});

describe('records', () => {
  it('that cannot be read are left out and not changed, and come back when they are right', async () => {
    const key = `${prefix}profiles/bad`;
    const write = (value: string) => b.etcd.txn({ compare: [], success: [{ put: { key, value } }] });
    await write('{"description": 7}');
    await a.replica.commit([put('good')]);
    expect([...a.store.unreadable]).toEqual([[key, 'description is not a text']]);
    const lost = a.replica.commit([put('bad')]);
    await expect(lost).rejects.toMatchObject({ code: 'fleet-record-unreadable', status: 500 });
    await expect(a.replica.commit([put('bad')])).rejects.toThrow(
      `The record ${key} of the fleet cannot be read`,
    );
    const { state } = await a.store.load();
    expect([...state.profiles.keys()]).toEqual(['good']);
    await write(JSON.stringify({ ...sampleProfile(''), description: 'right again' }));
    await a.replica.until(() => a.replica.state.profiles.get('bad')?.description === 'right again');
    await a.replica.commit([put('bad', 'mine')]);
    expect(a.store.unreadable.size).toBe(0);
  });

  it("that could not be read and are gone are in nobody's way after a new load", async () => {
    const key = `${prefix}profiles/gone`;
    await b.etcd.txn({ compare: [], success: [{ put: { key, value: '{' } }] });
    await a.replica.commit([put('good')]);
    expect([...a.store.unreadable.keys()]).toEqual([key]);
    a.replica.stop();
    await b.etcd.txn({ compare: [], success: [{ delete: { key } }] });
    await a.store.load();
    expect([...a.store.unreadable.keys()]).toEqual([]);
  });

  it('of many instances are read as they were at one revision, while others change', async () => {
    const count = 12_000;
    const { name: _, ...value } = sampleInstance('x');
    for (let from = 0; from < count; from += 100) {
      const success = Array.from({ length: 100 }, (__, each) => ({
        put: { key: `${prefix}instances/c${from + each}`, value: JSON.stringify(value) },
      }));
      await b.etcd.txn({ compare: [], success });
    }
    const loading = b.store.load();
    // Both change, or none of them, in what is loaded.
    const both = (text: string): SharedChange[] => [
      { kind: 'put-instance', instance: sampleInstance('c0', 'a', text) },
      { kind: 'put-instance', instance: sampleInstance('c9999', 'a', text) },
    ];
    await a.replica.until(() => a.replica.state.instances.size === count);
    for (let each = 0; each < 20; each++) await a.replica.commit(both(String(each)));
    const { state } = await loading;
    expect(state.instances.size).toBe(count);
    const text = (name: string) => state.instances.get(name)?.config['user.value'];
    expect(text('c0')).toBe(text('c9999'));
  });
});

describe('the history', () => {
  it('is followed from where an earlier daemon ended', async () => {
    await a.replica.commit([put('p', 'one')]);
    await agree(a, b);
    a.replica.stop();
    const { revision, mark } = a.replica;
    await b.replica.commit([put('p', 'two')]);
    await b.replica.commit([put('q')]);
    const told = await toldAfter(revision, mark, 2);
    expect(told.map(({ changes }) => changes.map(({ kind }) => kind))).toEqual([
      ['put-profile'],
      ['put-profile'],
    ]);
  });

  it('lets a daemon commit that has not loaded everything', async () => {
    await a.replica.commit([put('p', 'one')]);
    await agree(a, b);
    a.replica.stop();
    const next = await FleetMember.join('c', prefix, cluster.options());
    next.replica.stop();
    // As after a restart: the state is from a mirror, the store knows nothing.
    const { etcd, keys, lease } = next;
    const store = new EtcdShared({ etcd, keys, member: 'c', keeper: lease, log: silentLog });
    const replica = new Replica(store);
    replica.revision = next.replica.revision;
    replica.follow();
    const { revision: based } = replica;
    await replica.commit([put('p', 'two')], { based });
    await replica.commit([put('new')]);
    await expect(replica.commit([put('p', 'three')], { based })).rejects.toMatchObject({
      code: 'changed-meanwhile',
    });
    await b.replica.until(() => b.replica.state.profiles.has('new'));
    await b.replica.commit([{ kind: 'delete-profile', name: 'new' }]);
    await agree(b);
    replica.stop();
    await next[Symbol.asyncDispose]();
  });

  it('is lost when etcd has compacted it', async () => {
    await agree(a, b);
    a.replica.stop();
    const { length } = a.replica.told;
    for (let each = 0; each < 3; each++) await b.replica.commit([put('p', String(each))]);
    await b.etcd.compact(b.replica.revision);
    a.replica.follow();
    await a.replica.until(() => a.replica.isLost);
    expect(a.replica.told).toHaveLength(length);
    await a.replica.start();
    await a.replica.commit([put('q')]);
    await agree(a, b);
  });

  it('goes on after a compaction of what is known', async () => {
    await a.replica.commit([put('p')]);
    a.replica.stop();
    await b.replica.until(() => b.replica.revision === a.replica.revision);
    await b.etcd.compact(a.replica.revision);
    a.replica.follow();
    await b.replica.commit([put('q')]);
    await agree(a, b);
    expect(a.replica.isLost).toBe(false);
  });

  it('is lost when etcd was restored to an older revision, also if it has reached the same number again', async () => {
    const old = await EtcdCluster.start();
    try {
      let member = await FleetMember.join('a', prefix, old.options());
      await member.replica.commit([put('p', 'kept')]);
      const node = old.node(0);
      const [data, copy] = [join(old.folder, node.name), join(old.folder, 'copy')];
      await node.kill();
      cpSync(data, copy, { recursive: true });
      node.start();
      await node.ready();
      await member.alive();
      for (let each = 0; each < 3; each++) await member.replica.commit([put('p', `lost ${each}`)]);
      const { replica } = member;
      const { revision, mark } = replica;
      await node.kill();
      rmSync(data, { recursive: true });
      cpSync(copy, data, { recursive: true });
      node.start();
      await node.ready();
      // The member that has followed all the time notices it by itself.
      await replica.until(() => replica.isLost);
      await member[Symbol.asyncDispose]();
      member = await FleetMember.join('a', prefix, old.options());
      expect(member.replica.state.profiles.get('p')?.config['user.value']).toBe('kept');
      while (member.replica.revision <= revision + 1) await member.replica.commit([put('p', 'new history')]);
      const lost = Promise.withResolvers<void>();
      member.replica.stop();
      member.store.follow(
        revision,
        { changed: () => lost.reject(new Error('it goes on')), lost: () => lost.resolve() },
        mark,
      );
      await lost.promise;
      await member[Symbol.asyncDispose]();
    } finally {
      await old[Symbol.asyncDispose]();
    }
  });
});

/** What a store that has just been opened tells of later changes. */
async function toldAfter(revision: number, mark: string | undefined, count: number) {
  const { etcd, keys, lease } = a;
  const replica = new Replica(new EtcdShared({ etcd, keys, member: 'a', keeper: lease, log: silentLog }));
  replica.revision = revision;
  replica.mark = mark;
  replica.follow();
  await replica.until(() => replica.told.length === count);
  replica.stop();
  return replica.told;
}
