import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test as it } from 'vitest';
import { Harness } from '../../src/host/testing/harness.ts';
import { fleetMember, MemoryFleet } from '../../src/host/testing/memory-fleet.ts';
import { run } from '../../src/process/run.ts';
import { LXC_CONFIG, LxcClient } from '../harness/lxc.ts';

// The stock client, and the host API with a fleet in memory.
let host: Harness;
let fleet: MemoryFleet;
let conf: string;

beforeEach(async () => {
  LxcClient.need();
  host = await Harness.start();
  conf = mkdtempSync('/var/tmp/porthole-test-lxc-');
  writeFileSync(join(conf, 'config.yml'), LXC_CONFIG);
  mkdirSync(join(conf, 'home'));
  fleet = new MemoryFleet(host.backend, fleetMember('mb', { address: '10.0.0.2:8443', online: false }));
  fleet.join('ma', '10.0.0.1:8443');
  host.backend.add('c1');
  fleet.add('c2', 'mb');
});
afterEach(async () => {
  await host.stop();
  rmSync(conf, { recursive: true });
});

async function lxc(words: string, input = ''): Promise<[code: number | null, text: string]> {
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: join(conf, 'home'),
    LXD_DIR: host.folder,
    LXD_CONF: conf,
  };
  const { code, stdout, stderr } = await run('lxc', words.split(' '), { env, input, timeoutMs: 30_000 });
  return [code, stdout + stderr];
}

it('cluster list shows all members', async () => {
  const [code, text] = await lxc('cluster list -f csv');
  expect([code, text.trim().split('\n')]).toEqual([
    0,
    [
      'ma,https://10.0.0.1:8443,,x86_64,default,,ONLINE,Fully operational',
      'mb,https://10.0.0.2:8443,,x86_64,default,,OFFLINE,"It has ended, or does not reach etcd"',
    ],
  ]);
  expect((await lxc('cluster list'))[1]).toContain('| OFFLINE |');
});

it('cluster show shows one member, and says that there is no other', async () => {
  expect((await lxc('cluster show mb'))[1]).toContain('server_name: mb\nurl: https://10.0.0.2:8443\n');
  expect(await lxc('cluster show mc')).toEqual([1, 'Error: The fleet has no member "mc"\n']);
});

it('cluster remove removes a member that is offline, and one with instances by force', async () => {
  const [code, text] = await lxc('cluster remove mb');
  expect([code, text]).toEqual([1, expect.stringContaining('only a removal by force deletes: c2\n')]);
  expect((await lxc('cluster remove ma'))[1]).toContain('Member "ma" is this host itself');
  expect((await lxc('cluster remove mb --force', 'yes\n'))[1]).toContain('Member mb removed');
  expect((await lxc('cluster list -f csv'))[1].trim().split('\n')).toHaveLength(1);
});

it('cluster enable makes a single host a member', async () => {
  expect(await lxc('cluster enable mz')).toEqual([1, expect.stringContaining('already clustered')]);
  host.backend.fleet = null;
  expect(await lxc('cluster enable mz')).toEqual([0, 'Clustering enabled\n']);
  expect((await lxc('cluster list -f csv'))[1]).toContain('mz,https://127.0.0.1:8443,');
});

it('commands for what members of LXD have beyond that fail with one sentence', async () => {
  for (const [words, sentence] of [
    ['cluster rename ma mz', 'Members have no roles, groups or config, and keep their names'],
    ['cluster set ma user.x=1', 'The server is missing the required "clustering_edit_roles" API extension'],
    [
      'cluster role add ma database',
      'The server is missing the required "clustering_edit_roles" API extension',
    ],
    ['cluster edit ma', 'The server is missing the required "clustering_edit_roles" API extension'],
    ['cluster group list', 'The server is missing the required "clustering_groups" API extension'],
    ['cluster add mc', 'The server is missing the required "clustering_join_token" API extension'],
    [
      'cluster evacuate ma --force',
      'The server is missing the required "clustering_evacuation" API extension',
    ],
    ['config show --target mc', 'The fleet has no member "mc"'],
    ['init --empty c9 --target mc', 'The fleet has no member "mc"'],
  ] as const)
    expect([words, ...(await lxc(words))]).toEqual([words, 1, expect.stringContaining(sentence)]);
});

it('the pool is on all members, and its folder is shown for one', async () => {
  expect((await lxc('storage list -f csv'))[1]).toBe('default,dir,,1,CREATED\n');
  expect((await lxc('storage show default'))[1]).toContain('locations:\n- ma\n- mb\n');
  expect((await lxc('storage show default --target ma'))[1]).toContain(
    `source: ${host.backend.server.stateDir}`,
  );
  expect((await lxc('info --target ma'))[1]).toContain('server_name: ma\n');
});
