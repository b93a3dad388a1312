import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../harness/api.ts';
import {
  clusterOf,
  locationsAt,
  poll,
  shows,
  statesAt,
  TestFleet,
  type TestMember,
  valuesOf,
} from '../harness/fleet.ts';

// Real etcd and real daemons: how hosts become members, and single hosts again.
let fleet: TestFleet;
let ma: TestMember;
let mb: TestMember;

beforeAll(async () => {
  fleet = await TestFleet.start();
  ma = await fleet.host('ma');
  await ma.daemon.must('image', 'build', 'busybox');
  await ma.daemon.must('profile', 'create', 'web');
  await ma.daemon.must('profile', 'set', 'web', 'user.role=web');
  await ma.operator.launch('a1', { profiles: ['default', 'web'] });
  mb = await fleet.host('mb');
});
afterAll(() => fleet?.[Symbol.asyncDispose]());

const everything = async () => {
  const { stdout } = await fleet.etcdctl('get', '--prefix', '/porthole/', '--print-value-only=false');
  return stdout
    .split('\n')
    .filter((line) => /^\/porthole\/(instances|profiles|images|aliases|members|holders)\//.test(line));
};

describe('a host with the settings of a member', () => {
  it('is a single host before it is told otherwise, and says so', async () => {
    expect((await clusterOf(ma)).enabled).toBe(false);
    expect(await ma.daemon.must('info')).toContain(
      'Fleet: the setting store is etcd, but this host is a single host: `porthole cluster enable` makes it a member',
    );
    expect(await everything()).toEqual([]);
  });

  it('does not become one with an address that it cannot use, and goes on', async () => {
    const { code, stderr } = await ma.daemon.porthole('cluster', 'enable', '--address', '192.0.2.1:8443');
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('Invalid address of a member "192.0.2.1:8443"'),
    ]);
    expect((await clusterOf(ma)).enabled).toBe(false);
    expect(await ma.operator.sh('a1', 'devlxd /1.0/config/user.role')).toBe('web');
  });
});

describe('a single host that becomes the first member', () => {
  it('keeps its instances, which run on and keep their positions', async () => {
    await ma.operator.patch('a1', { config: { 'user.n': '1' } });
    const before = await poll(ma, 'a1', 'now');
    await ma.operator.patch('a1', { config: { 'user.n': '2' } });
    const init = await ma.operator.pid('a1');
    await ma.daemon.must('cluster', 'enable');
    expect(await clusterOf(ma)).toMatchObject({ enabled: true, server_name: 'ma' });
    expect(await ma.operator.pid('a1')).toBe(init);
    await ma.operator.patch('a1', { config: { 'user.n': '3' } });
    const after = await poll(ma, 'a1', before.next);
    expect([after.status, valuesOf(after, 'user.n')]).toEqual([200, ['2', '3']]);
    expect(await ma.operator.sh('a1', 'devlxd /1.0')).toContain('"location":"ma"');
  });

  it('shows in etcd what members share, and nothing of what only the host knows', async () => {
    expect((await everything()).sort()).toEqual(
      expect.arrayContaining(['/porthole/instances/a1', '/porthole/members/ma', '/porthole/profiles/web']),
    );
    const { stdout } = await fleet.etcdctl('get', '--prefix', '/porthole/instances/');
    expect(stdout).not.toContain('volatile.');
  });
});

describe('a second host', () => {
  it('with a name and a profile of the fleet is refused with all that is in the way, and changes nothing', async () => {
    const before = await everything();
    await mb.daemon.must('image', 'build', 'busybox');
    await mb.daemon.must('profile', 'create', 'web');
    await mb.operator.create('a1', { profiles: ['default', 'web'] });
    const { code, stderr } = await mb.daemon.porthole('cluster', 'enable');
    expect(code).toBe(1);
    expect(stderr).toContain(
      'This host cannot join the fleet as it is: instances with names of the fleet: a1; ' +
        'profiles that differ from those of the fleet: web',
    );
    expect(await everything()).toEqual(before);
    expect((await clusterOf(mb)).enabled).toBe(false);
    expect(await statesAt(ma)).toEqual({ ma: 'Online' });
    await mb.operator.patch('a1', { config: { 'user.a': '1' } });
    await mb.operator.delete('a1');
    await mb.daemon.must('profile', 'delete', 'web');
  });

  it('with the name of a member is refused', async () => {
    const { code, stderr } = await mb.daemon.porthole('cluster', 'enable', '--name', 'ma');
    expect([code, stderr]).toEqual([1, expect.stringContaining('The fleet has another member "ma"')]);
    expect(await statesAt(ma)).toEqual({ ma: 'Online' });
    // The other one keeps its lease.
    await ma.operator.patch('a1', { config: { 'user.n': '4' } });
  });

  it('joins, gets the profiles of the fleet, and both see all instances', async () => {
    await mb.operator.launch('b1');
    await mb.daemon.must('cluster', 'enable');
    await shows(ma, 'mb', 'Online');
    for (const at of [ma, mb]) expect(await locationsAt(at)).toEqual({ a1: 'ma', b1: 'mb' });
    expect(await mb.daemon.must('profile', 'show', 'web')).toContain('user.role: web');
    expect(await mb.operator.sh('a1', 'devlxd /1.0/config/user.role')).toBe('web');
  });
});

describe('a member', () => {
  it('that is online is not removed by another one', async () => {
    const { code, stderr } = await ma.daemon.porthole('cluster', 'remove', 'mb', '--force', '--yes');
    expect([code, stderr]).toEqual([1, expect.stringContaining('Member "mb" is online')]);
  });

  it('becomes a single host again, with its instances and profiles, and its names are free', async () => {
    await mb.daemon.must('config', 'set', 'b1', 'user.kept=1');
    const before = await poll(mb, 'b1', 'now');
    await mb.daemon.must('cluster', 'disable');
    expect((await clusterOf(mb)).enabled).toBe(false);
    expect(await locationsAt(mb)).toEqual({ b1: 'none' });
    expect(await mb.operator.sh('b1', 'devlxd /1.0/config/user.kept')).toBe('1');
    expect(await mb.daemon.must('profile', 'show', 'web')).toContain('user.role: web');
    await mb.operator.patch('b1', { config: { 'user.kept': '2' } });
    expect(valuesOf(await poll(mb, 'b1', before.next), 'user.kept')).toEqual(['2']);
    expect(await statesAt(ma)).toEqual({ ma: 'Online' });
    expect(await locationsAt(ma)).toEqual({ a1: 'ma' });
    expect((await everything()).filter((key) => key.includes('b1') || key.endsWith('mb'))).toEqual([]);
  });

  it('joins again, and is removed by force when it is dead; it comes back as a single host and says so', async () => {
    await mb.daemon.must('cluster', 'enable');
    const before = await poll(mb, 'b1', 'now');
    await mb.daemon.kill();
    await shows(ma, 'mb', 'Offline');
    const refused = await ma.daemon.porthole('cluster', 'remove', 'mb');
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('still has instances')]);
    await ma.daemon.must('cluster', 'remove', 'mb', '--force', '--yes');
    expect(await locationsAt(ma)).toEqual({ a1: 'ma' });
    const told = mb.daemon.logged('the fleet does not know this host any more');
    await mb.daemon.start();
    await told;
    // It restarts in place as a single host.
    await until('mb is a single host', () =>
      clusterOf(mb).then(
        ({ enabled }) => !enabled,
        () => false,
      ),
    );
    expect(await mb.daemon.must('info')).toContain('Fleet: the fleet does not know this host any more');
    await mb.operator.patch('b1', { config: { 'user.kept': '3' } });
    expect(valuesOf(await poll(mb, 'b1', before.next), 'user.kept')).toEqual(['3']);
  });

  it('does not start with the settings of a single host', async () => {
    const { code, stderr } = await fleet.portholed(ma, { store: 'sqlite' });
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('This state directory is that of the member "ma" of a fleet'),
    ]);
  });
});
