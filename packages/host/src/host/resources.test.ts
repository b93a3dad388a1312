import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test as it } from 'vitest';
import { Harness } from './testing/harness.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await Harness.start();
});
afterEach(() => harness.stop());

const ROOT = { root: { type: 'disk', path: '/', pool: 'default' } };

describe('instances', () => {
  it('are listed as URLs, objects, or objects with live state', async () => {
    harness.backend.add('c1', {}, true);
    harness.backend.add('c2');
    expect((await harness.get('/1.0/instances')).json.metadata).toEqual([
      '/1.0/instances/c1',
      '/1.0/instances/c2',
    ]);
    expect((await harness.get('/1.0/containers')).json.metadata[0]).toBe('/1.0/containers/c1');
    const ofType = async (type: string) => (await harness.get(`/1.0/instances?instance-type=${type}`)).json;
    expect((await ofType('container')).metadata).toHaveLength(2);
    expect((await ofType('virtual-machine')).metadata).toEqual([]);
    expect((await ofType('x')).error).toBe('Invalid instance type');
    const [plain] = (await harness.get('/1.0/instances?recursion=1')).json.metadata;
    expect(plain).toMatchObject({
      name: 'c1',
      type: 'container',
      status: 'Running',
      status_code: 103,
      config: {},
    });
    expect(plain).not.toHaveProperty('state');
    const [full, stopped] = (await harness.get('/1.0/instances?recursion=2&filter=')).json.metadata;
    expect(full).toMatchObject({
      snapshots: null,
      backups: null,
      state: { pid: 4242, cpu: { usage: 24005998 } },
    });
    expect(stopped.state).toMatchObject({ pid: 0, network: null, disk: {} });
  });

  it('are filtered by the server', async () => {
    harness.backend.add('c1', {}, true);
    harness.backend.add('c2', { config: { 'user.x': 'a b' } });
    const names = async (filter: string) =>
      (await harness.get(`/1.0/instances?recursion=1&${new URLSearchParams({ filter })}`)).json.metadata.map(
        ({ name }: { name: string }) => name,
      );
    expect(await names('status eq running')).toEqual(['c1']);
    expect(await names('config.user.x eq "a b" or name eq zz')).toEqual(['c2']);
    expect((await harness.get('/1.0/instances?filter=name')).json.error).toBe(
      'Invalid filter: clause has no operator',
    );
  });

  it('are still listed when the live state of one is not known', async () => {
    harness.backend.add('c1', {}, true);
    harness.backend.instances.live = async () => {
      throw new Error('gone');
    };
    expect((await harness.get('/1.0/instances?recursion=2')).json.metadata[0].state).toBeNull();
  });

  it('change their state in one operation, if the action applies to them', async () => {
    harness.backend.add('c1', {}, true);
    harness.backend.add('c2');
    const body = { state: { action: 'freeze' } };
    const { status, json } = await harness.send('PUT', '/1.0/instances', body);
    expect([status, json.metadata.resources.instances]).toEqual([202, ['/1.0/instances/c1']]);
    const other = await harness.send('PUT', '/1.0/instances?project=x', body);
    expect([other.status, other.json.error]).toEqual([404, 'Project not found']);
    const unknown = await harness.send('PUT', '/1.0/instances', {});
    expect([unknown.status, unknown.json.error]).toEqual([400, "Unknown action: ''"]);
  });

  it('have a state object on recursion, also when stopped', async () => {
    harness.backend.add('c1');
    const { metadata } = (await harness.get('/1.0/instances/c1?recursion=1')).json;
    expect(metadata.state).toMatchObject({ status: 'Stopped', status_code: 102, pid: 0 });
    expect(metadata).toMatchObject({ snapshots: null, backups: null });
    expect((await harness.get('/1.0/instances/c1/state')).json.metadata.network).toBeNull();
  });

  it('are created asynchronously, under both names in resources', async () => {
    const body = { name: 'c1', profiles: null, config: null, devices: ROOT, source: { type: 'none' } };
    const reply = await harness.send('POST', '/1.0/instances', body);
    expect(reply.status).toBe(202);
    expect((await harness.finished(reply)).json.metadata).toMatchObject({
      class: 'task',
      status_code: 200,
      location: 'none',
      resources: { instances: ['/1.0/instances/c1'], containers: ['/1.0/containers/c1'] },
    });
    expect(harness.backend.heart.get('c1').profiles).toEqual(['default']);
  });

  it('are replaced by PUT, which is refused at once for an outdated ETag', async () => {
    harness.backend.add('c1', { config: { 'user.a': '1' } });
    const { etag = '' } = (await harness.get('/1.0/instances/c1')).headers;
    expect(etag).toMatch(/^"[0-9a-f]+"$/);
    const put = (config: object) =>
      harness.send('PUT', '/1.0/instances/c1', { config, devices: ROOT }, { 'If-Match': etag });
    expect((await put({ 'user.a': '2', 'user.b': '' })).status).toBe(202);
    expect(harness.backend.heart.get('c1')).toMatchObject({ config: { 'user.a': '2' }, profiles: [] });
    expect(await put({ 'user.a': '3' })).toMatchObject({
      status: 412,
      json: { error: expect.stringMatching(/^ETag doesn't match: [0-9a-f]+ vs [0-9a-f]+$/) },
    });
    expect(harness.backend.heart.get('c1').config).toEqual({ 'user.a': '2' });
  });

  it('are checked again when the change is committed', async () => {
    harness.backend.add('c1', { config: { 'user.a': '1' } });
    const { etag = '' } = (await harness.get('/1.0/instances/c1')).headers;
    const { update } = harness.backend.instances;
    harness.backend.instances.update = (...args) => {
      harness.backend.add('c1', { config: { 'user.a': 'raced' } });
      return update(...args);
    };
    const reply = await harness.send('PUT', '/1.0/instances/c1', { config: {} }, { 'If-Match': etag });
    const { json } = await harness.finished(reply);
    expect(json.metadata).toMatchObject({ status: 'Failure', err: expect.stringMatching(/^ETag/) });
  });

  it('are merged by PATCH, synchronously', async () => {
    harness.backend.add('c1', { config: { 'user.a': '1', 'user.b': '2' }, devices: { d: { type: 'none' } } });
    harness.backend.putProfile({ ...harness.backend.profile('default'), devices: ROOT });
    const body = { config: { 'user.a': '', 'user.c': '3' }, devices: { d: null } };
    expect((await harness.send('PATCH', '/1.0/instances/c1', body)).json).toMatchObject({
      type: 'sync',
      metadata: {},
    });
    expect(harness.backend.heart.get('c1')).toMatchObject({
      config: { 'user.b': '2', 'user.c': '3' },
      devices: {},
    });
  });

  it('are renamed and deleted asynchronously; a running one is not deleted', async () => {
    harness.backend.add('c1');
    harness.backend.add('up', {}, true);
    expect((await harness.send('POST', '/1.0/instances/c1', { name: 'c2' })).status).toBe(202);
    expect((await harness.send('DELETE', '/1.0/instances/c2')).status).toBe(202);
    expect((await harness.send('DELETE', '/1.0/instances/up')).json.error).toBe('Instance is running');
  });

  it('have a log, which is empty until they have run', async () => {
    harness.backend.add('c1');
    const log = async () => {
      const { status, body } = await harness.get('/1.0/instances/c1/logs/lxc.log');
      return [status, body.toString()];
    };
    expect(await log()).toEqual([200, '']);
    await writeFile(`${harness.folder}/c1.log`, '');
    expect(await log()).toEqual([200, '']);
    await writeFile(`${harness.folder}/c1.log`, 'lxc started\n');
    expect(await log()).toEqual([200, 'lxc started\n']);
  });
});

describe('profiles', () => {
  it('always show all fields, and which instances use them', async () => {
    harness.backend.add('c1');
    expect((await harness.get('/1.0/profiles?recursion=1')).json.metadata).toEqual([
      { name: 'default', description: '', config: {}, devices: {}, used_by: ['/1.0/instances/c1'] },
    ]);
    expect((await harness.get('/1.0/profiles')).json.metadata).toEqual(['/1.0/profiles/default']);
  });

  it('are replaced by PUT and merged by PATCH', async () => {
    const { etag = '' } = (await harness.get('/1.0/profiles/default')).headers;
    const put = (headers = {}) =>
      harness.send(
        'PUT',
        '/1.0/profiles/default',
        { config: { 'user.a': '1', 'user.b': '' }, description: 'x' },
        headers,
      );
    expect((await put({ 'If-Match': etag })).json).toMatchObject({ type: 'sync', metadata: {} });
    expect((await put({ 'If-Match': etag })).status).toBe(412);
    await harness.send('PATCH', '/1.0/profiles/default', { config: { 'user.c': '3', 'user.a': '' } });
    expect(harness.backend.profile('default')).toMatchObject({ description: 'x', config: { 'user.c': '3' } });
  });

  it('keep a change that another client makes between reading and writing', async () => {
    let races = 2;
    harness.backend.beforeProfileCommit = () => {
      if (races-- <= 0) return;
      const profile = harness.backend.profile('default');
      harness.backend.putProfile({
        ...profile,
        config: { ...profile.config, [`user.other${races}`]: 'x' },
      });
    };
    expect(
      (await harness.send('PATCH', '/1.0/profiles/default', { config: { 'user.mine': 'y' } })).status,
    ).toBe(200);
    expect(harness.backend.profile('default').config).toEqual({
      'user.other1': 'x',
      'user.other0': 'x',
      'user.mine': 'y',
    });
  });

  it('without a name are refused', async () => {
    expect(await harness.send('POST', '/1.0/profiles', {})).toMatchObject({
      status: 400,
      json: { error: 'No name provided' },
    });
  });
});

describe('aliases', () => {
  it('may hold slashes and point to a prefix', async () => {
    const { fingerprint } = harness.backend.addImage(['bytes']);
    const target = fingerprint.slice(0, 12);
    const made = await harness.send('POST', '/1.0/images/aliases', { name: 'a/b', target, type: '' });
    expect(made.headers.location).toBe('/1.0/images/aliases/a%2Fb');
    expect((await harness.get('/1.0/images/aliases/a%2Fb')).json.metadata).toEqual({
      name: 'a/b',
      target: fingerprint,
      type: 'container',
      description: '',
    });
    expect((await harness.get('/1.0/images?recursion=1')).json.metadata[0].aliases).toEqual([
      { name: 'a/b', description: '' },
    ]);
    expect((await harness.send('POST', '/1.0/images/aliases/a%2Fb', { name: 'c' })).status).toBe(201);
    expect((await harness.send('PATCH', '/1.0/images/aliases/c', { description: 'd' })).status).toBe(200);
    expect((await harness.get('/1.0/images/aliases/c')).json.metadata.description).toBe('d');
    expect((await harness.send('DELETE', '/1.0/images/aliases/c')).json.metadata).toEqual({});
    expect((await harness.get('/1.0/images/aliases/c')).json.error).toBe('Image alias not found');
  });

  it('need an image', async () => {
    const body = { name: 'a', target: 'feed' };
    expect((await harness.send('POST', '/1.0/images/aliases', body)).json.error).toBe('Image not found');
    expect((await harness.send('POST', '/1.0/images/aliases', { name: 'a' })).json).toMatchObject({
      error_code: 400,
      error: 'name and target are required',
    });
    expect((await harness.send('PUT', '/1.0/images/aliases/a', { description: 'd' })).json).toMatchObject({
      error_code: 400,
      error: 'The target field is required',
    });
  });
});

describe('operations', () => {
  it('are listed by status', async () => {
    expect((await harness.get('/1.0/operations')).json.metadata).toEqual({});
    const { id } = harness.backend.operations.begin({ description: 'x', resources: { images: ['f'] } });
    expect((await harness.get('/1.0/operations')).json.metadata).toEqual({
      running: [`/1.0/operations/${id}`],
    });
    const { running } = (await harness.get('/1.0/operations?recursion=1')).json.metadata;
    expect(running[0]).toMatchObject({
      id,
      status_code: 103,
      resources: { images: ['/1.0/images/f'] },
      metadata: null,
    });
  });

  it('are waited for, for as long as the client asks', async () => {
    const { id } = harness.backend.operations.begin({ description: 'x' });
    expect((await harness.get(`/1.0/operations/${id}/wait?timeout=0`)).json.metadata.status).toBe('Running');
    const waiting = harness.get(`/1.0/operations/${id}/wait?timeout=-1`);
    await harness.get('/1.0');
    harness.backend.operations.end(id, new Error('no'));
    expect(await waiting).toMatchObject({ status: 200, json: { metadata: { status_code: 400, err: 'no' } } });
    expect((await harness.get(`/1.0/operations/${id}/wait?timeout=soon`)).status).toBe(400);
  });

  it('are cancelled when they can be', async () => {
    const { id } = harness.backend.operations.begin({ description: 'x', mayCancel: true });
    expect((await harness.send('DELETE', `/1.0/operations/${id}`)).json.metadata).toEqual({});
    expect((await harness.send('DELETE', `/1.0/operations/${id}`)).status).toBe(400);
    expect((await harness.get('/1.0/operations/none')).json.error).toBe('Operation not found');
  });
});
