import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fakeOperation, finishedOperation, startFakeHost } from '../client/testing/fake-host.ts';
import { Harness } from '../host/testing/harness.ts';
import { fleetMember, MemoryFleet } from '../host/testing/memory-fleet.ts';
import { run } from './program/program.ts';
import { fakeInstance } from './testing/fake-instance.ts';
import { fakeIo, runIn } from './testing/fake-io.ts';

// A real host API whose fleet is in memory.
let host: Harness;
let fleet: MemoryFleet;
beforeEach(async () => {
  host = await Harness.start();
  fleet = new MemoryFleet(host.backend, fleetMember('mb', { address: '10.0.0.2:8443' }));
});
afterEach(() => host.stop());

const porthole = (words: string, options = {}) => runIn(host.folder, words.split(' '), options);

describe('on a single host', () => {
  it('list and show fail with what to do', async () => {
    for (const words of ['cluster list', 'cluster list -f json', 'cluster show mb'])
      expect(await porthole(words)).toEqual({
        ...{ code: 1, stdout: '' },
        stderr: 'Error: This host is no member of a fleet: see `porthole cluster enable --help`\n',
      });
  });

  it('changes that need a fleet fail with the sentence of the daemon', async () => {
    for (const words of [
      'cluster disable',
      'cluster remove mb',
      'launch --empty c1 --target mb',
      'info --target mb',
    ]) {
      const { code, stderr } = await porthole(words);
      expect([words, code, stderr]).toEqual([
        words,
        1,
        expect.stringContaining('Error: This server is not clustered'),
      ]);
    }
  });

  it('enable makes it a member, and waits until the daemon is one', async () => {
    const { code, stdout, stderr } = await porthole('cluster enable --name ma --address 10.0.0.1:8443');
    const told = 'This host is the member ma of the fleet now: see `porthole cluster list`\n';
    expect([code, stdout, stderr]).toEqual([0, '', told]);
    expect(fleet.members().map(({ name, address }) => `${name} ${address}`)).toEqual([
      ...['ma 10.0.0.1:8443', 'mb 10.0.0.2:8443'],
    ]);
    expect(await porthole('cluster enable')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('"ma"'),
    });
    expect(await porthole('cluster disable -q')).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(host.backend.fleet).toBeNull();
  });

  it('enable shows how far it is on a terminal', async () => {
    const { io, stderr } = fakeIo({ terminal: true, env: { PORTHOLE_DIR: host.folder } });
    const waited = Promise.withResolvers<void>();
    const { operations } = host.backend;
    const wait = operations.wait;
    operations.wait = (...args) => {
      waited.resolve();
      return wait(...args);
    };
    fleet.begun = () => waited.promise;
    fleet.halfway = () => vi.waitFor(() => expect(stderr()).toContain('Records: 50%'), { timeout: 10_000 });
    expect(await run(['cluster', 'enable'], io, { busybox: async () => '' })).toBe(0);
  });

  it('the wrong words are usage errors', async () => {
    for (const words of [
      'cluster enable ma',
      'cluster show',
      'cluster remove',
      'cluster list -f text',
      'cluster',
    ])
      expect([words, (await porthole(words)).code]).toEqual([words, 2]);
    expect((await porthole('cluster disabel')).stderr).not.toContain('Did you mean');
  });
});

describe('on a member', () => {
  beforeEach(() => {
    fleet.join('ma', '10.0.0.1:8443');
    host.backend.add('c1');
    for (const name of ['c2', 'c3']) fleet.add(name, 'mb');
  });

  it('list shows the members, for people and programs', async () => {
    fleet.put(fleetMember('mc', { online: false, version: '0.0.9' }));
    const { stdout } = await porthole('cluster list -f compact');
    expect(stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['NAME', 'ADDRESS', 'STATE', 'VERSION', 'INSTANCES', 'MESSAGE'],
      ['ma', '10.0.0.1:8443', 'ONLINE', '0.1.0', '1', 'Fully operational'],
      ['mb', '10.0.0.2:8443', 'ONLINE', '0.1.0', '2', 'Fully operational'],
      ['mc', '127.0.0.1:8443', 'OFFLINE', '0.0.9', '0', 'It has ended, or does not reach etcd'],
      [''],
    ]);
    const members = JSON.parse((await porthole('cluster ls -f json')).stdout);
    expect(members).toEqual((await host.get('/1.0/cluster/members?recursion=1')).json.metadata);
    expect((await porthole('cluster list -f csv')).stdout).toContain(
      '"It has ended, or does not reach etcd"\n',
    );
  });

  it('show prints a member as YAML or JSON', async () => {
    expect((await porthole('cluster show mb')).stdout).toContain(
      'server_name: mb\nurl: https://10.0.0.2:8443\n',
    );
    expect(JSON.parse((await porthole('cluster show mb -f json')).stdout).porthole.instances).toBe(2);
    expect(await porthole('cluster show mc')).toMatchObject({
      ...{ code: 1, stderr: 'Error: The fleet has no member "mc"\n' },
    });
  });

  it('info says which members there are, and which are offline', async () => {
    fleet.put(fleetMember('mc', { online: false }));
    expect((await porthole('info')).stdout).toContain('\nFleet: member ma of ma, mb, mc (OFFLINE)\n');
    fleet.cutOff = '2026-01-02T03:04:05.000Z';
    expect((await porthole('info')).stdout).toContain(
      '\nCUT OFF from the fleet since 2026/01/02 03:04 UTC: ',
    );
  });

  it('info says so if another member has removed this one', async () => {
    host.backend.fleet = null;
    fleet.told = 'Removed by force; its instances stay here';
    expect((await porthole('info')).stdout).toContain('\nFleet: Removed by force; its instances stay here\n');
  });

  it('remove refuses a member that works, and one with instances', async () => {
    expect((await porthole('cluster remove mb')).stderr).toContain('porthole cluster disable` on its host');
    fleet.put(fleetMember('mb', { online: false }));
    const { code, stderr } = await porthole('cluster remove mb');
    expect([code, stderr]).toEqual([1, expect.stringContaining('only a removal by force deletes: c2, c3\n')]);
  });

  it('remove by force says what is lost and asks, and does nothing unless told yes', async () => {
    fleet.put(fleetMember('mb', { online: false }));
    for (const stdin of ['', 'no\n', 'yesterday\n']) {
      const { code, stderr } = await porthole('cluster remove mb --force', { stdin });
      expect(code).toBe(1);
      expect(stderr).toContain('Member mb is OFFLINE and has 2 instances. Their records will be deleted');
      expect(stderr).toMatch(/Remove mb\? \(yes\/no\): Error: Nothing was removed\n$/);
    }
    expect(fleet.instances.size).toBe(2);
    expect((await porthole('cluster remove mb --force', { stdin: 'yes\n' })).code).toBe(0);
    expect([fleet.instances.size, fleet.members().length]).toEqual([0, 1]);
  });

  it('remove by force asks nothing with --yes', async () => {
    fleet.put(fleetMember('mb', { online: false }));
    const { code, stderr } = await porthole('cluster rm mb -f --yes');
    expect([code, stderr]).toEqual([0, 'Member mb removed\n']);
  });

  it('tab completes the names of members', async () => {
    for (const words of [
      'cluster show ',
      'cluster remove ',
      'launch --target ',
      'init --target ',
      'info --target ',
    ]) {
      const { stdout } = await runIn(host.folder, ['__complete', '--', ...words.split(' ')]);
      expect([words, stdout]).toEqual([words, 'ma\nmb\n']);
    }
  });
});

describe('in a fleet', () => {
  it('lists show the location of instances and operations, and events say it', async () => {
    const fake = await startFakeHost({
      'GET /1.0/instances': () => ({
        metadata: [fakeInstance({ name: 'a', location: 'ma' }), fakeInstance({ name: 'b', location: 'mb' })],
      }),
      'GET /1.0/instances/b': () => ({ metadata: fakeInstance({ name: 'b', location: 'mb' }) }),
      'GET /1.0/operations': () => ({ metadata: { running: [fakeOperation({ location: 'mb' })] } }),
    });
    fake.onSocket = (socket) => {
      socket.send(
        JSON.stringify({
          type: 'lifecycle',
          timestamp: 'T',
          location: 'mb',
          metadata: { action: 'x', source: 'y' },
        }),
      );
      socket.close();
    };
    const run = async (words: string) => (await runIn(fake.dir, words.split(' '))).stdout;
    expect(await run('list -f csv')).toMatch(/^a,.*,ma\nb,.*,mb\n$/);
    expect((await run('list -f compact')).split('\n')[0]).toMatch(/SNAPSHOTS {2}LOCATION$/);
    expect(await run('list a -f csv')).toMatch(/^a,.*,ma\n$/);
    expect(await run('list -f csv -c nL')).toBe('a,ma\nb,mb\n');
    expect(await run('list -f csv -c n')).toBe('a\nb\n');
    expect(await run('info b')).toContain('\nLocation: mb\n');
    expect((await run('operation list -f compact')).split('\n')[0]).toMatch(/CREATED +LOCATION$/);
    expect(await run('monitor --pretty')).toBe('T mb lifecycle x y\n');
    await fake.stop();
  });

  it('on a single host none of them do', async () => {
    host.backend.add('c1');
    expect((await porthole('list -f csv')).stdout).toBe('c1,STOPPED,,,CONTAINER,0\n');
    expect((await porthole('list -f csv -c nL')).stdout).toBe('c1,\n');
    expect((await porthole('info c1')).stdout).not.toContain('Location');
    expect((await porthole('operation list -f compact')).stdout).not.toContain('LOCATION');
  });

  it('members that have not confirmed a change are named on standard error, and it is a success', async () => {
    const unconfirmed = { porthole_unconfirmed: ['mb', 'mc'] };
    const fake = await startFakeHost({
      'POST /1.0/profiles': () => ({ raw: JSON.stringify({ type: 'sync', metadata: null, ...unconfirmed }) }),
      'GET /1.0/images/f': () => ({ metadata: { fingerprint: 'f' } }),
      'DELETE /1.0/images/f': () => ({
        operation: finishedOperation({ metadata: { porthole_unconfirmed: ['mb'] } }),
      }),
    });
    const run = async (words: string) => {
      const { code, stderr } = await runIn(fake.dir, words.split(' '));
      return [code, stderr];
    };
    const told = (which: string) =>
      expect.stringContaining(`Warning: the change is made, but ${which} not confirmed it yet`);
    expect(await run('profile create web')).toEqual([0, told('members mb, mc have')]);
    expect(await run('image delete f')).toEqual([0, told('member mb has')]);
    await fake.stop();
  });

  it('enable waits for the daemon also if it restarts before it has told the end', async () => {
    let asked = 0;
    const fake = await startFakeHost({
      'POST /1.0/cluster': () => ({ operation: fakeOperation() }),
      [`GET /1.0/operations/${fakeOperation().id}/wait`]: () => ({ error: [404, 'Operation not found'] }),
      'GET /1.0/cluster': () => {
        const enabled = ++asked >= 3;
        return { metadata: { enabled, server_name: enabled ? 'ma' : '' } };
      },
    });
    const { code, stderr } = await runIn(fake.dir, ['cluster', 'enable']);
    expect([code, asked, stderr]).toEqual([0, 3, expect.stringContaining('the member ma of the fleet')]);
    await fake.stop();
  });

  it('enable fails with the reason of the operation', async () => {
    const fake = await startFakeHost({
      'POST /1.0/cluster': () => ({ operation: finishedOperation({ err: 'c1 is there already' }) }),
    });
    const { code, stderr } = await runIn(fake.dir, ['cluster', 'enable']);
    expect([code, stderr]).toEqual([1, 'Error: c1 is there already\n']);
    await fake.stop();
  });
});
