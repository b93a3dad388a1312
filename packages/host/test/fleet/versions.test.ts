import { afterAll, beforeAll, expect, it } from 'vitest';
import { ownVersion } from '../../src/base/version.ts';
import type { MemberJson } from '../../src/wire/cluster.ts';
import { until } from '../harness/api.ts';
import { clusterOf, shows, TestFleet, type TestMember } from '../harness/fleet.ts';

// Real etcd and real daemons: members whose records are those of other versions.
let fleet: TestFleet;
let ma: TestMember;
let mb: TestMember;

beforeAll(async () => {
  fleet = await TestFleet.start();
  ma = await fleet.member('ma');
  mb = await fleet.host('mb');
});
afterAll(() => fleet?.[Symbol.asyncDispose]());

/** Puts the record of a member, as a daemon of another version would. */
async function put(name: string, fields: Readonly<Record<string, unknown>>, at = fleet): Promise<void> {
  const { stdout } = await at.etcdctl(
    'get',
    '/porthole/members/m',
    '--prefix',
    '--limit=1',
    '--print-value-only',
  );
  const record = JSON.stringify({ ...(JSON.parse(stdout) as object), name, ...fields });
  const { ok, failure } = await at.etcdctl('put', `/porthole/members/${name}`, record);
  if (!ok) throw new Error(failure);
}

const versionAt = async (at: TestMember, name: string) =>
  (await at.operator.client.get<MemberJson>(`/1.0/cluster/members/${name}`)).porthole.version;

it('a member that understands newer forms works next to those that do not', async () => {
  await put('mz', { fingerprint: 'e'.repeat(64), api: 2, version: '9.0.0' });
  await shows(ma, 'mz', 'Offline');
  await mb.daemon.must('cluster', 'enable');
  await shows(ma, 'mb', 'Online');
  await ma.daemon.must('profile', 'create', 'both');
  // It restarts in place to become a member: without a lease nobody waits for it.
  await until('mb has it', async () =>
    (await mb.daemon.must('profile', 'list', '-f', 'csv')).includes('both'),
  );
});

it('the record of a member has the version of its newest daemon', async () => {
  await put('ma', { version: '0.0.1' });
  await until('mb sees it', async () => (await versionAt(mb, 'ma')) === '0.0.1');
  await ma.daemon.restartInPlace();
  await until('mb sees the new one', async () => (await versionAt(mb, 'ma')) === ownVersion());
});

it('a member that does not understand what all others write does not start, and says what to do', async () => {
  // As long as its own record says that it understands less, the others write that.
  await put('ma', { api: 2 });
  await put('mb', { api: 2, fingerprint: 'd'.repeat(64) });
  await until('ma knows', async () =>
    (await ma.operator.client.get<MemberJson>('/1.0/cluster/members/mb')).porthole.fingerprint.startsWith(
      'd',
    ),
  );
  const { code, stderr } = await fleet.portholed(ma, {});
  expect([code, stderr]).toEqual([
    1,
    'portholed: The members of the fleet write records in form 2, and this version of Porthole understands forms up to 1: install the version of the members\n',
  ]);
});

it('a member that is alone in its fleet does not start with a version that is older than its own record', async () => {
  await using alone = await TestFleet.start();
  const mo = await alone.member('mo', ({ operator }) => operator.create('o1', { source: { type: 'none' } }));
  await put('mo', { api: 2, version: '9.0.0' }, alone);
  await until('mo knows', async () => (await versionAt(mo, 'mo')) === '9.0.0');
  const { code, stderr } = await alone.portholed(mo, {});
  expect([code, stderr]).toEqual([1, expect.stringContaining('write records in form 2')]);
});

it('a host that does not understand it does not join', async () => {
  const mc = await fleet.host('mc');
  await put('ma', { api: 2 });
  const { code, stderr } = await mc.daemon.porthole('cluster', 'enable');
  expect([code, stderr]).toEqual([1, expect.stringContaining('write records in form 2')]);
  expect((await clusterOf(mc)).enabled).toBe(false);
});
