import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addUnconfirmed } from '../base/unconfirmed.ts';
import { Harness } from './testing/harness.ts';
import { fleetMember, MemoryFleet } from './testing/memory-fleet.ts';

let host: Harness;
beforeEach(async () => {
  host = await Harness.start();
});
afterEach(() => host.stop());

const metadata = async (path: string) => (await host.get(path)).json.metadata;
const errorOf = async (method: string, path: string, body?: unknown) => {
  const { status, json } = await host.send(method, path, body);
  return [status, json.error];
};

describe('a single host', () => {
  const NOT_CLUSTERED = [
    400,
    'This server is not clustered: it is a single host, and `porthole cluster enable` makes it a member of a fleet',
  ];

  it('says that it is no member', async () => {
    expect(await metadata('/1.0/cluster')).toEqual({ server_name: '', enabled: false, member_config: [] });
    const { environment, porthole, api_extensions } = await metadata('/1.0');
    expect([environment.server_clustered, environment.server_name]).toEqual([
      false,
      host.backend.server.name,
    ]);
    expect(porthole.fleet).toEqual({
      ...{ member: null, members: [], offline: [], cut_off_since: null, notice: null },
    });
    expect(api_extensions).toEqual(expect.arrayContaining(['clustering', 'porthole_fleet']));
  });

  it('refuses what needs a fleet, with one sentence', async () => {
    for (const [method, path] of [
      ...[['GET', '/1.0/cluster/members'] as const, ['GET', '/1.0/cluster/members/ma'] as const],
      ...[['DELETE', '/1.0/cluster/members/ma?force=1'] as const, ['DELETE', '/1.0/cluster'] as const],
      ...[['GET', '/1.0?target=ma'] as const, ['POST', '/1.0/instances?target=ma'] as const],
    ])
      expect(await errorOf(method, path)).toEqual(NOT_CLUSTERED);
    expect(await errorOf('PUT', '/1.0/cluster', { enabled: false })).toEqual(NOT_CLUSTERED);
  });

  it('becomes no member without a store that members share', async () => {
    const refused = [400, expect.stringContaining('A fleet needs etcd')];
    expect(await errorOf('POST', '/1.0/cluster', {})).toEqual(refused);
    expect(await errorOf('PUT', '/1.0/cluster', { enabled: true, server_name: 'ma' })).toEqual(refused);
  });

  it('becomes a member, with progress, by its own request and by that of LXD', async () => {
    for (const [method, body] of [
      ['POST', { server_name: 'ma', address: '10.0.0.1:1' }],
      ['PUT', { enabled: true, server_name: 'ma', server_address: '10.0.0.1:1', cluster_address: '' }],
    ] as const) {
      const fleet = new MemoryFleet(host.backend);
      const half = Promise.withResolvers<void>();
      fleet.halfway = () => half.promise;
      const begun = await host.send(method, '/1.0/cluster', body);
      expect((await metadata(begun.json.operation)).metadata).toEqual({ enable_progress: 'Records: 50%' });
      half.resolve();
      expect((await host.finished(begun)).json.metadata.status).toBe('Success');
      expect(await metadata('/1.0/cluster')).toMatchObject({ server_name: 'ma', enabled: true });
      expect(await metadata('/1.0/cluster/members/ma')).toMatchObject({ url: 'https://10.0.0.1:1' });
      expect(await errorOf(method, '/1.0/cluster', body)).toEqual([400, expect.stringContaining('"ma"')]);
      await host.finished(await host.send('DELETE', '/1.0/cluster'));
      expect((await metadata('/1.0/cluster')).enabled).toBe(false);
    }
  });

  it('refuses bad names and addresses, and to join through another member', async () => {
    new MemoryFleet(host.backend);
    for (const body of [{ server_name: 'a/b' }, { address: '0.0.0.0:1' }, { server_name: 1 }, []])
      expect((await host.send('POST', '/1.0/cluster', body)).status).toBe(400);
    const join = { enabled: true, server_name: 'mb', cluster_address: '10.0.0.1:8443' };
    expect(await errorOf('PUT', '/1.0/cluster', join)).toEqual([
      400,
      expect.stringContaining('through etcd'),
    ]);
    expect((await metadata('/1.0/cluster')).enabled).toBe(false);
  });

  it('tells why it is a single host, if another member has removed it', async () => {
    new MemoryFleet(host.backend).told = 'removed by ma';
    expect((await metadata('/1.0')).porthole.fleet.notice).toBe('removed by ma');
  });
});

describe('a member', () => {
  let fleet: MemoryFleet;
  beforeEach(() => {
    fleet = new MemoryFleet(host.backend, fleetMember('mb', { address: '10.0.0.2:8443' }));
    fleet.join('ma');
    host.backend.add('c1');
    fleet.add('c2', 'mb');
    fleet.add('c3', 'mb');
  });

  it("shows all members as LXD does, with Porthole's own fields", async () => {
    const urls = ['/1.0/cluster/members/ma', '/1.0/cluster/members/mb'];
    expect(await metadata('/1.0/cluster/members')).toEqual(urls);
    const members = await metadata('/1.0/cluster/members?recursion=1');
    expect(members.map((one: { porthole: { instances: number } }) => one.porthole.instances)).toEqual([1, 2]);
    expect(members[1]).toEqual({
      server_name: 'mb',
      url: 'https://10.0.0.2:8443',
      database: false,
      roles: [],
      failure_domain: 'default',
      description: '',
      config: {},
      groups: [],
      status: 'Online',
      message: 'Fully operational',
      architecture: 'x86_64',
      porthole: {
        address: '10.0.0.2:8443',
        fingerprint: 'ab'.repeat(32),
        version: '0.1.0',
        instances: 2,
        joined_at: '2026-01-02T03:04:05.000Z',
      },
    });
    expect(await metadata('/1.0/cluster/members/mb')).toEqual(members[1]);
    expect(await errorOf('GET', '/1.0/cluster/members/mc')).toEqual([404, 'The fleet has no member "mc"']);
  });

  it('shows itself as a member', async () => {
    fleet.put(fleetMember('mc', { online: false }));
    const { environment, porthole } = await metadata('/1.0');
    expect([environment.server_clustered, environment.server_name]).toEqual([true, 'ma']);
    expect(porthole.fleet).toMatchObject({ member: 'ma', members: ['ma', 'mb', 'mc'], offline: ['mc'] });
  });

  it('shows members that are offline, join or leave; and itself as offline while it is cut off', async () => {
    fleet.put(fleetMember('mc', { online: false, state: 'joining' }));
    fleet.put(fleetMember('md', { state: 'joining' }));
    fleet.put(fleetMember('me', { state: 'leaving' }));
    fleet.cutOff = '2026-01-02T03:04:05.000Z';
    const members = await metadata('/1.0/cluster/members?recursion=1');
    const statuses = members.map((one: { status: string }) => one.status);
    expect(statuses).toEqual(['Offline', 'Online', 'Offline', 'Joining', 'Leaving']);
    expect(members[0].message).toContain('Cut off since 2026-01-02T03:04:05.000Z');
  });

  it('removes only a member that is offline, and one with instances only by force', async () => {
    const remove = (name: string, force = '') => errorOf('DELETE', `/1.0/cluster/members/${name}${force}`);
    expect(await remove('mc', '?force=1')).toEqual([404, 'The fleet has no member "mc"']);
    expect((await remove('ma', '?force=1'))[1]).toContain('this host itself');
    expect((await remove('mb', '?force=1'))[1]).toContain('is online');
    fleet.put(fleetMember('mb', { online: false }));
    expect((await remove('mb'))[1]).toContain('still has instances, whose records');
    expect((await remove('mb', '?force=0'))[1]).toContain(': c2, c3');
    expect(fleet.instances.size).toBe(2);
    const removed = await host.send('DELETE', '/1.0/cluster/members/mb?force=1');
    expect((await host.finished(removed)).json.metadata.status).toBe('Success');
    expect(await metadata('/1.0/cluster/members')).toEqual(['/1.0/cluster/members/ma']);
    expect(fleet.instances.size).toBe(0);
  });

  it('refuses what only members of LXD have, with one sentence', async () => {
    for (const [method, path, part] of [
      ['POST', '/1.0/cluster/members', 'need no tokens'],
      ['PUT', '/1.0/cluster/members/mb', 'no roles, groups or config'],
      ['POST', '/1.0/cluster/members/mb', 'keep their names'],
      ['POST', '/1.0/cluster/members/mb/state', 'does not move instances'],
      ['GET', '/1.0/cluster/groups', 'no groups'],
      ['PUT', '/1.0/cluster/certificate', 'its own certificate'],
    ])
      expect(await errorOf(method as string, path as string, {})).toEqual([
        501,
        expect.stringContaining(part as string),
      ]);
  });

  it('counts the instances of other members as users of a profile and of the project', async () => {
    host.backend.putProfile({ name: 'web', description: '', config: {}, devices: {} });
    host.backend.add('c5', { profiles: ['web', 'default'] });
    fleet.add('c4', 'mb', { profiles: ['web', 'web'] });
    const urls = (...names: string[]) => names.map((name) => `/1.0/instances/${name}`);
    expect((await metadata('/1.0/profiles/web')).used_by).toEqual(urls('c4', 'c5'));
    const profiles = await metadata('/1.0/profiles?recursion=1');
    expect(profiles.map((one: { used_by: string[] }) => one.used_by)).toEqual([
      ...[urls('c1', 'c2', 'c3', 'c5'), urls('c4', 'c5')],
    ]);
    const project = await metadata('/1.0/projects/default');
    expect(project.used_by).toEqual(expect.arrayContaining(urls('c1', 'c2', 'c3', 'c4', 'c5')));
  });

  it('names the members that have not confirmed a change', async () => {
    host.backend.profiles.create = async () => addUnconfirmed(['mb']);
    const { json } = await host.send('POST', '/1.0/profiles', { name: 'late' });
    expect(json).toMatchObject({ type: 'sync', metadata: null, porthole_unconfirmed: ['mb'] });
    expect((await host.get('/1.0/profiles')).json).not.toHaveProperty('porthole_unconfirmed');
  });

  it('names all members as the locations of the pool, and its own folder only as a target', async () => {
    const pool = '/1.0/storage-pools/default';
    expect(await metadata(pool)).toMatchObject({ config: {}, locations: ['ma', 'mb'] });
    expect((await metadata(`${pool}?target=ma`)).config).toEqual({ source: host.backend.server.stateDir });
  });
});
