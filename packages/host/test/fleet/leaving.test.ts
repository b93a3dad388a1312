import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Etcd, openEtcd } from '../../src/etcd/client.ts';
import { until } from '../harness/api.ts';
import { CuttableWay } from '../harness/cut.ts';
import { cycles } from '../harness/cycles.ts';
import { clusterOf, locationsAt, shows, TestFleet, type TestMember } from '../harness/fleet.ts';

// Real etcd and real daemons: what happens on a host while it leaves its fleet.
const INSTANCES = 60;

let fleet: TestFleet;
let way: CuttableWay;
let etcd: Etcd;
let ma: TestMember;
let mb: TestMember;

beforeAll(async () => {
  fleet = await TestFleet.start();
  etcd = openEtcd(fleet.etcd.options());
  ma = await fleet.member('ma', ({ daemon }) => daemon.must('image', 'build', 'busybox'));
  way = await CuttableWay.to(fleet.etcd.node(0).endpoint);
  mb = await fleet.host('mb', { 'etcd-endpoints': way.url });
  await mb.daemon.must('image', 'build', 'busybox');
  for (const name of names) await mb.operator.create(name);
  await mb.daemon.must('cluster', 'enable');
});
afterAll(async () => {
  etcd?.close();
  await fleet?.[Symbol.asyncDispose]();
  await way?.[Symbol.asyncDispose]();
});

const names = Array.from({ length: INSTANCES }, (_, at) => `b${at + 1}`);

/** The keys of mb, and of its instances, in etcd. */
async function keysOfMb(): Promise<string[]> {
  const { kvs } = await etcd.range({ prefix: '/porthole/', keysOnly: true });
  return kvs
    .map(({ key }) => key.slice('/porthole/'.length))
    .filter((key) => /^(instances\/[bn]|members\/mb$|holders\/.*\/mb$)/.test(key));
}

const REFUSED =
  /^This host is leaving the fleet: try again in a moment$|^The fleet has no member "mb"$|^Member "mb" of the fleet |^The connection to member "mb" of the fleet broke/;

const disable = () => mb.operator.client.change('DELETE', '/1.0/cluster');
const isSingle = () =>
  until('mb is a single host', () =>
    clusterOf(mb).then(
      ({ enabled }) => !enabled,
      () => false,
    ),
  );
const outcomeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: Error) => error.message,
  );

describe('a host that leaves its fleet', () => {
  it('and does not reach etcd any more in the middle stays a member, and can leave later', async () => {
    const before = await keysOfMb();
    way.cutBefore('request_delete_range', 2);
    expect(await outcomeOf(disable())).toMatch(
      /^This host has not left the fleet: it stays a member|it is not known yet/,
    );
    expect((await keysOfMb()).length).toBeLessThan(before.length);
    way.mend();
    await until('all its records are back', async () => (await keysOfMb()).length === before.length);
    await shows(ma, 'mb', 'Online');
    expect(await keysOfMb()).toEqual(before);
    expect(Object.keys(await locationsAt(ma))).toHaveLength(INSTANCES);
    await mb.operator.patch('b1', { config: { 'user.a': '1' } });
  });

  it('because two operators tell it at once leaves once: the other operator gets an error', async () => {
    const outcomes = await Promise.all([disable(), disable()].map(outcomeOf));
    expect(outcomes.sort()).toEqual([
      'This host is joining or leaving the fleet, or removing a member: wait until that is done',
      'done',
    ]);
    await isSingle();
    expect(await keysOfMb()).toEqual([]);
    // The lease of the member does not outlive it: the next join would wait for its end.
    const lease = { key: '/porthole/alive/mb' };
    expect((await etcd.range(lease)).kvs).toEqual([]);
    expect(Object.keys(await locationsAt(mb))).toHaveLength(INSTANCES);
    for (const name of names) await mb.operator.delete(name);
  });
});

describe('an instance that is made while its host leaves the fleet', () => {
  const WAITS_MS = [0, 2, 5, 10, 20, 40, 80, 160];
  const rounds = Array.from({ length: cycles(WAITS_MS.length, 4 * WAITS_MS.length) }, (_, at) => ({
    name: `n${at}`,
    waitMs: WAITS_MS[at % WAITS_MS.length] ?? 0,
    isAskedElsewhere: at % 2 === 1,
  }));

  it.each(rounds)('is whole on the single host, or was never there: $name, $waitMs ms', async (round) => {
    const { name, waitMs, isAskedElsewhere } = round;
    await mb.daemon.must('cluster', 'enable');
    if (isAskedElsewhere) await shows(ma, 'mb', 'Online');
    const { client } = (isAskedElsewhere ? ma : mb).operator;
    const json = { name, source: { type: 'image', alias: 'busybox' } };
    const made = outcomeOf(client.change('POST', '/1.0/instances?target=mb', { json }));
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    await disable();
    const outcome = await made;
    await isSingle();
    const { [name]: location } = await locationsAt(mb);
    expect(outcome).toMatch(location ? /^done$|^The connection to member "mb" of the fleet broke/ : REFUSED);
    expect(await keysOfMb()).toEqual([]);
    expect(Object.keys(await locationsAt(ma))).toEqual([]);
    const folders = readdirSync(join(mb.daemon.stateDir, 'instances')).filter((each) => /^\d+/.test(each));
    expect(folders).toHaveLength(location ? 1 : 0);
    if (!location) return;
    await mb.operator.state(name, 'start');
    expect(await mb.operator.sh(name, 'echo whole')).toBe('whole');
    await mb.operator.state(name, 'stop', { force: true });
    await mb.operator.delete(name);
  });
});
