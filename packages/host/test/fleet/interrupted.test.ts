import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Etcd, openEtcd } from '../../src/etcd/client.ts';
import { until } from '../harness/api.ts';
import { cycles } from '../harness/cycles.ts';
import { clusterOf, locationsAt, statesAt, TestFleet, type TestMember } from '../harness/fleet.ts';

// Real etcd and real daemons: a daemon is killed while its host becomes a member, or a single host again.
const INSTANCES = 60;
const KILLS = cycles(2, 8);

let fleet: TestFleet;
let ma: TestMember;
let mb: TestMember;
let etcd: Etcd;

beforeAll(async () => {
  fleet = await TestFleet.start();
  ma = await fleet.member('ma', async ({ daemon, operator }) => {
    await daemon.must('image', 'build', 'busybox');
    await operator.create('a1');
  });
  etcd = openEtcd(fleet.etcd.options());
  mb = await fleet.host('mb');
  await mb.daemon.must('image', 'build', 'busybox');
  for (const name of names) await mb.operator.create(name);
});
afterAll(async () => {
  etcd?.close();
  await fleet?.[Symbol.asyncDispose]();
});

const names = Array.from({ length: INSTANCES }, (_, at) => `b${at + 1}`);

/** How many records of mb's instances the fleet has. */
async function records(): Promise<number> {
  const { kvs } = await etcd.range({ prefix: '/porthole/instances/b', keysOnly: true });
  return kvs.length;
}

/** Begins a change of the membership, and kills the daemon as soon as something holds. */
async function killedDuring(method: string, holds: () => Promise<boolean>): Promise<void> {
  const change = mb.operator.client.change(method, '/1.0/cluster', { json: {} }).catch(() => {});
  // Without a pause: the whole takes some milliseconds.
  while (!(await holds()));
  await mb.daemon.kill();
  await change;
  await mb.daemon.start();
}

/** All of mb's instances are there, and can be changed. */
async function isWhole(): Promise<void> {
  expect(Object.keys(await mb.operator.statuses()).filter((name) => name.startsWith('b'))).toHaveLength(
    INSTANCES,
  );
  await mb.operator.patch('b1', { config: { 'user.round': `${Math.random()}` } });
}

const places = Array.from({ length: KILLS }, (_, at) => Math.floor(((at + 1) * INSTANCES) / (KILLS + 1)));

describe('a daemon that is killed', () => {
  it.each(places)(
    'while its host joins, with about %i records in the fleet, is no member; the next try completes it',
    async (count) => {
      await killedDuring('POST', async () => (await records()) >= count);
      const { enabled } = await clusterOf(mb);
      if (!enabled) {
        await isWhole();
        expect(await locationsAt(ma)).toEqual({ a1: 'ma' });
        expect(['Joining', 'Offline', undefined]).toContain((await statesAt(ma))['mb']);
        await mb.daemon.must('cluster', 'enable');
      }
      await isWhole();
      expect(await records()).toBe(INSTANCES);
      await until('ma sees all', async () => Object.keys(await locationsAt(ma)).length === INSTANCES + 1);
      await mb.daemon.must('cluster', 'disable');
      expect(await records()).toBe(0);
    },
  );

  it.each(places)(
    'while its host leaves, with about %i records left, is a member; the next try completes it',
    async (count) => {
      await mb.daemon.must('cluster', 'enable');
      await killedDuring('DELETE', async () => (await records()) <= count);
      const { enabled } = await clusterOf(mb);
      if (enabled) {
        await isWhole();
        await mb.daemon.must('cluster', 'disable');
      }
      await until('it is a single host', async () => !(await clusterOf(mb)).enabled);
      await isWhole();
      expect(await records()).toBe(0);
      expect(await statesAt(ma)).toEqual({ ma: 'Online' });
      expect(await locationsAt(mb)).toEqual(Object.fromEntries(names.map((name) => [name, 'none'])));
    },
  );
});

describe('a host that has begun to join and never comes back', () => {
  it('can be removed, and all of its names are free', async () => {
    const change = mb.operator.client.change('POST', '/1.0/cluster', { json: {} }).catch(() => {});
    await until('it joins', async () => (await records()) > 0);
    await mb.daemon.kill();
    await change;
    await until('it is offline', async () => {
      const { code } = await ma.daemon.porthole('cluster', 'remove', 'mb', '--force', '--yes');
      return code === 0;
    });
    expect(await statesAt(ma)).toEqual({ ma: 'Online' });
    expect(await records()).toBe(0);
    await ma.operator.create('b1');
  });
});
