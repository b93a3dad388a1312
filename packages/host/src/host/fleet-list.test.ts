import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, test as it } from 'vitest';
import type { Harness } from './testing/harness.ts';
import { LinkedHosts } from './testing/linked-hosts.ts';

let fleet: LinkedHosts;
let m1: Harness;
let m2: Harness;

beforeEach(async () => {
  fleet = await LinkedHosts.start('m1', 'm2', 'm3');
  [m1, m2] = [fleet.host('m1'), fleet.host('m2')];
  m1.backend.add('b', {}, true);
  m2.backend.add('a', { profiles: ['default'] }, true);
  fleet.host('m3').backend.add('c');
});

afterEach(() => fleet.stop());

const list = async (query: string, host = m1) => (await host.get(`/1.0/instances?${query}`)).json.metadata;
// biome-ignore lint/suspicious/noExplicitAny: objects of the API
const brief = (all: any[]) => all.map(({ name, location, status }) => `${name} ${location} ${status}`);

describe('the list of instances', () => {
  it('has those of all members, by name', async () => {
    expect(await list('')).toEqual(['a', 'b', 'c'].map((name) => `/1.0/instances/${name}`));
    expect((await m2.get('/1.0/containers')).json.metadata).toContain('/1.0/containers/b');
    for (const recursion of [1, 2])
      expect(brief(await list(`recursion=${recursion}`))).toEqual([
        'a m2 Running',
        'b m1 Running',
        'c m3 Stopped',
      ]);
    expect((await list('recursion=2'))[0].state.status).toBe('Running');
  });

  it('has those that pass a filter', async () => {
    expect(await list('filter=status+eq+Running')).toEqual(['/1.0/instances/a', '/1.0/instances/b']);
    expect(brief(await list('recursion=1&filter=location+eq+m3'))).toEqual(['c m3 Stopped']);
    expect((await m1.get('/1.0/instances?filter=x')).status).toBe(400);
  });

  it('has those of members that are offline, or do not answer, with the status Error', async () => {
    await fleet.kill('m3');
    fleet.setOnline('m2', false);
    for (const recursion of [1, 2])
      expect(brief(await list(`recursion=${recursion}`))).toEqual([
        'a m2 Error',
        'b m1 Running',
        'c m3 Error',
      ]);
    expect((await list('recursion=2'))[0]).toMatchObject({ status_code: 112, state: null });
    expect(await list('')).toHaveLength(3);
    expect(await list('filter=status+eq+error')).toEqual(['/1.0/instances/a', '/1.0/instances/c']);
  });

  it('has only its own for another member', async () => {
    const agent = fleet.link.member('m1').agents.of('m2');
    const text = await new Promise<string>((resolve, reject) => {
      request({ agent, path: '/1.0/instances' }, (answer) => {
        let got = '';
        answer.on('data', (chunk) => {
          got += chunk;
        });
        answer.on('end', () => resolve(got));
      })
        .on('error', reject)
        .end();
    });
    expect(JSON.parse(text).metadata).toEqual(['/1.0/instances/a']);
  });
});

it('a profile names its users on all members', async () => {
  m1.backend.add('d', { profiles: ['default'] });
  const users = ['a', 'b', 'c', 'd'].map((name) => `/1.0/instances/${name}`);
  expect((await m1.get('/1.0/profiles/default')).json.metadata.used_by).toEqual(users);
  expect((await m2.get('/1.0/profiles?recursion=1')).json.metadata[0].used_by).toEqual(users);
});

describe('operations', () => {
  it('of all members are listed, waited for and cancelled from any', async () => {
    const { id } = m2.backend.operations.begin({ description: 'x', mayCancel: true });
    const own = m1.backend.operations.begin({ description: 'y' });
    expect((await m1.get('/1.0/operations')).json.metadata.running.sort()).toEqual(
      [id, own.id].map((each) => `/1.0/operations/${each}`).sort(),
    );
    const all = (await m1.get('/1.0/operations?recursion=1')).json.metadata.running;
    expect(all.map(({ location }: { location: string }) => location).sort()).toEqual(['m1', 'm2']);
    expect((await m1.get(`/1.0/operations/${id}`)).json.metadata.location).toBe('m2');
    const waited = m1.get(`/1.0/operations/${id}/wait`);
    expect((await m1.send('DELETE', `/1.0/operations/${id}`)).status).toBe(200);
    m2.backend.operations.end(id);
    expect((await waited).json.metadata).toMatchObject({ id, location: 'm2' });
    m1.backend.operations.end(own.id);
  });

  it('that no member has are not found, also while one does not answer', async () => {
    await fleet.kill('m3');
    const path = '/1.0/operations/00000000-0000-4000-8000-000000000000';
    expect(await m1.get(path)).toMatchObject({ status: 404, json: { error: 'Operation not found' } });
  });
});

describe('a change of all instances', () => {
  const change = async (action: string) => {
    const begun = await m1.send('PUT', '/1.0/instances', { state: { action, force: true } });
    expect(begun).toMatchObject({ status: 202, json: { metadata: { location: 'm1' } } });
    return (await m1.finished(begun)).json.metadata;
  };

  it('reaches those of all members', async () => {
    expect(await change('freeze')).toMatchObject({ status: 'Success', err: '' });
    expect(brief(await list('recursion=1'))).toEqual(['a m2 Frozen', 'b m1 Frozen', 'c m3 Stopped']);
  });

  it('names those that failed, and members that do not answer', async () => {
    m2.backend.instances.setStates = () =>
      m2.backend.operations.run({
        description: 'x',
        work: async () => {
          throw new Error('The following instances failed to update state:\n - Instance: a: no\n');
        },
      });
    await fleet.kill('m3');
    const { status, err } = await change('freeze');
    expect(status).toBe('Failure');
    expect(err).toContain('\n - Instance: a: no\n - Member: m3: ');
    expect((await m1.get('/1.0/instances/b')).json.metadata.status).toBe('Frozen');
  });
});

describe('what members ask each other', () => {
  const ask = (path: string) =>
    new Promise<{ status: number; body: Buffer }>((resolve, reject) => {
      request({ agent: fleet.link.member('m1').agents.of('m2'), path }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk) => chunks.push(chunk));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks) }));
      })
        .on('error', reject)
        .end();
    });
  const told = async (path: string) => JSON.parse((await ask(path)).body.toString()).metadata;

  it('is whether a revision is applied', async () => {
    expect(await told('/fleet/1.0/applied?revision=7')).toEqual({ applied: true });
    expect(await told('/fleet/1.0/applied?revision=8')).toEqual({ applied: false });
    expect((await ask('/fleet/1.0/applied?revision=-1')).status).toBe(400);
  });

  it('is the files of an image', async () => {
    const { fingerprint } = m2.backend.addImage(['meta', 'rootfs']);
    const path = `/fleet/1.0/images/${fingerprint}`;
    expect(await told(path)).toEqual({ files: 2 });
    expect((await ask(`${path}/files/1`)).body.toString()).toBe('rootfs');
    expect((await ask(`${path}/files/2`)).status).toBe(404);
    expect((await ask(`${path}/files/..`)).status).toBe(404);
    expect(await told('/fleet/1.0/images/ab')).toEqual({ files: 0 });
  });
});
