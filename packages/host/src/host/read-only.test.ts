import { afterEach, beforeEach, describe, expect, test as it } from 'vitest';
import { Harness } from './testing/harness.ts';

const ROOT = { root: { type: 'disk', path: '/', pool: 'default' } };
const NIC = { lan: { type: 'nic', nictype: 'bridged', parent: 'br0' } };
const ADOPTED = { 'volatile.adopted': '1:2:8bfe7b3c-7bd2-4d39-a0b6-a5e4c2a0f6a1' };

let harness: Harness;
beforeEach(async () => {
  harness = await Harness.start();
});
afterEach(() => harness.stop());

const value = async (path: string) => (await harness.get(path)).json.metadata;

it.each(['', '?recursion=1', '?recursion=2'])('there are no virtual machines%s', async (query) => {
  expect(await value(`/1.0/virtual-machines${query}`)).toEqual([]);
});

describe('networks', () => {
  it('are read by one reading at a time, for any number of requests', async () => {
    const gate = Promise.withResolvers<void>();
    const asked = { now: 0, most: 0, all: 0 };
    const bridges = async () => {
      asked.all++;
      asked.most = Math.max(asked.most, ++asked.now);
      await gate.promise;
      asked.now--;
      return ['br0'];
    };
    Object.assign(harness.backend, { server: { ...harness.backend.server, bridges } });
    const answers = Array.from({ length: 20 }, () => value('/1.0/networks'));
    await expect.poll(() => asked.all).toBe(1);
    gate.resolve();
    for (const answer of await Promise.all(answers))
      expect(answer).toEqual(['/1.0/networks/lo', '/1.0/networks/br0']);
    expect(asked.most).toBe(1);
  });

  it('are the loopback interface and the bridges of the host', async () => {
    expect(await value('/1.0/networks')).toEqual([
      '/1.0/networks/lo',
      '/1.0/networks/br0',
      '/1.0/networks/br1',
    ]);
    const all = await value('/1.0/networks?recursion=1');
    expect(all.map(({ type }: { type: string }) => type)).toEqual(['loopback', 'bridge', 'bridge']);
  });

  it('have the fields of a network that LXD does not manage', async () => {
    expect(await value('/1.0/networks/br0')).toEqual({
      name: 'br0',
      description: '',
      type: 'bridge',
      managed: false,
      status: '',
      config: {},
      used_by: [],
      locations: null,
    });
  });

  it('are used by instances and profiles with a nic on them', async () => {
    harness.backend.putProfile({ name: 'net', description: '', config: {}, devices: NIC });
    harness.backend.add('c1', { devices: NIC });
    harness.backend.add('c2', { profiles: ['net'] });
    harness.backend.add('c3');
    expect((await value('/1.0/networks/br0')).used_by).toEqual([
      '/1.0/instances/c1',
      '/1.0/instances/c2',
      '/1.0/profiles/net',
    ]);
    expect((await value('/1.0/networks/br1')).used_by).toEqual([]);
  });
});

describe('the storage pool', () => {
  it('is the state directory', async () => {
    expect(await value('/1.0/storage-pools')).toEqual(['/1.0/storage-pools/default']);
    const [pool] = await value('/1.0/storage-pools?recursion=1');
    expect(pool).toEqual({
      name: 'default',
      description: '',
      driver: 'dir',
      status: 'Created',
      config: { source: '/var/lib/porthole' },
      used_by: [],
      locations: ['none'],
    });
    expect((await value('/1.0')).environment.storage).toBe(pool.driver);
  });

  it('is used by profiles with a root disk, and by instances whose files are in it', async () => {
    harness.backend.putProfile({ name: 'root', description: '', config: {}, devices: ROOT });
    harness.backend.add('c1', { profiles: ['root'] });
    harness.backend.add('podman', { profiles: ['root'], config: ADOPTED });
    expect((await value('/1.0/storage-pools/default')).used_by).toEqual([
      '/1.0/instances/c1',
      '/1.0/profiles/root',
    ]);
  });
});

describe('the project', () => {
  it('has all instances, profiles and images', async () => {
    harness.backend.add('c1');
    const { fingerprint } = harness.backend.addImage(['image']);
    expect(await value('/1.0/projects')).toEqual(['/1.0/projects/default']);
    const [project] = await value('/1.0/projects?recursion=1');
    expect(project).toEqual(await value('/1.0/projects/default'));
    expect(project).toEqual({
      name: 'default',
      description: 'Default Porthole project',
      config: {
        'features.images': 'true',
        'features.networks': 'true',
        'features.profiles': 'true',
        'features.storage.volumes': 'true',
      },
      used_by: ['/1.0/instances/c1', '/1.0/profiles/default', `/1.0/images/${fingerprint}`],
    });
  });
});

describe('none of them', () => {
  it.each([
    ['networks', 'Network not found'],
    ['storage-pools', 'Storage pool not found'],
    ['projects', 'Project not found'],
  ])('is found under an unknown name: %s', async (kind, error) => {
    for (const name of ['zz', 'a%2Fb', '..%2Fdefault', 'DEFAULT']) {
      expect(await harness.get(`/1.0/${kind}/${name}`)).toMatchObject({ status: 404, json: { error } });
    }
  });

  it('is seen in a project that does not exist, except pools and projects, which projects share', async () => {
    expect((await harness.get('/1.0/networks?project=p')).json.error).toBe('Project not found');
    expect((await harness.get('/1.0/networks/lo?project=p')).json.error).toBe('Project not found');
    expect((await harness.get('/1.0/storage-pools/default?project=p')).status).toBe(200);
    expect(await value('/1.0/projects?project=p')).toHaveLength(1);
  });

  it.each([
    ['networks', 'br0', 'Porthole manages no networks: give a nic the bridge that you made as its parent'],
    [
      'storage-pools',
      'default',
      'Porthole has one storage pool, its state directory: it makes, changes and deletes none',
    ],
    ['projects', 'default', 'Porthole has one project, default: it makes, changes and deletes none'],
  ])('can be changed: %s', async (kind, name, error) => {
    const refusal = { status: 501, json: { error } };
    expect(await harness.send('POST', `/1.0/${kind}`, { name: 'new' })).toMatchObject(refusal);
    for (const method of ['PUT', 'PATCH', 'POST', 'DELETE'])
      expect(await harness.send(method, `/1.0/${kind}/${name}`, { config: {} })).toMatchObject(refusal);
  });

  it('has parts that LXD has: volumes, states, leases', async () => {
    expect(await harness.get('/1.0/storage-pools/default/volumes?recursion=1')).toMatchObject({
      status: 501,
      json: { error: 'Porthole has no storage volumes: give an instance a folder of the host as a disk' },
    });
    for (const path of ['networks/br0/state', 'networks/br0/leases', 'projects/default/state'])
      expect((await harness.get(`/1.0/${path}`)).status).toBe(501);
  });
});
