import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, test as it } from 'vitest';
import type { FakeHost } from '../client/testing/fake-host.ts';
import { startFakeHost } from '../client/testing/fake-host.ts';
import { COMPLETION_SCRIPTS } from './completion-scripts.ts';
import { fakeInstance } from './testing/fake-instance.ts';
import { runIn } from './testing/fake-io.ts';

let host: FakeHost;
beforeEach(async () => {
  const devices = { data: { type: 'disk', path: '/mnt' } };
  host = await startFakeHost({
    'GET /1.0/instances': () => ({ metadata: ['/1.0/instances/c1', '/1.0/instances/web'] }),
    'GET /1.0/instances/c1': () => ({ metadata: fakeInstance({ config: { 'user.a': '1' }, devices }) }),
    'GET /1.0/profiles': () => ({ metadata: ['/1.0/profiles/default', '/1.0/profiles/a%20b'] }),
    'GET /1.0/images/aliases': () => ({ metadata: ['/1.0/images/aliases/busybox'] }),
  });
});
afterEach(() => host.stop());

async function candidates(...words: string[]): Promise<string[]> {
  const { stdout, stderr, code } = await runIn(host.dir, ['__complete', '--', ...words]);
  expect([stderr, code]).toEqual(['', 0]);
  return stdout.split('\n').filter((line) => line !== '');
}

describe('tab completes', () => {
  it('commands, at every level', async () => {
    expect(await candidates('laun')).toEqual(['launch']);
    expect(await candidates('image', 'alias', '')).toEqual(
      expect.arrayContaining(['list', 'create', 'delete']),
    );
    expect(await candidates('')).not.toContain('__complete');
  });

  it('options, including the common ones', async () => {
    expect(await candidates('exec', 'c1', '--force')).toEqual([
      '--force-interactive',
      '--force-noninteractive',
    ]);
    expect(await candidates('list', '--q')).toEqual(['--quiet']);
  });

  it('the values of options', async () => {
    expect(await candidates('list', '-f', 'c')).toEqual(['csv', 'compact']);
    expect(await candidates('launch', '--profile', '')).toEqual(['default', 'a b']);
    expect(await candidates('launch', 'busybox', '--config-file', '')).toEqual([':files']);
  });

  it('instances, profiles and images, by the name of the argument', async () => {
    expect(await candidates('start', 'c1', '')).toEqual(['c1', 'web']);
    expect(await candidates('exec', 'w')).toEqual(['web']);
    expect(await candidates('profile', 'show', 'd')).toEqual(['default']);
    expect(await candidates('profile', 'add', 'c1', 'd')).toEqual(['default']);
    expect(await candidates('launch', '')).toEqual(['busybox']);
    expect(await candidates('launch', '-p', 'default', '')).toEqual(['busybox']);
  });

  it('keys and devices of the instance named before', async () => {
    expect(await candidates('config', 'get', 'c1', '')).toEqual(['user.a']);
    expect(await candidates('config', 'device', 'remove', 'c1', '')).toEqual(['data']);
    expect(await candidates('config', 'device', 'get', 'c1', 'data', 'p')).toEqual(['path']);
    expect(await candidates('config', 'set', 'c1', 'user.b=2', 'user.')).toEqual([
      'user.a=',
      'user.meta-data=',
    ]);
    expect(await candidates('config', 'device', 'set', 'c1', 'data', 'pa')).toEqual(['path=']);
  });

  it('keys that could be set, but not those that would be refused', async () => {
    expect(await candidates('config', 'set', 'c1', 'boot.autostart')).toEqual([
      'boot.autostart=',
      'boot.autostart.delay=',
      'boot.autostart.priority=',
    ]);
    expect(await candidates('config', 'set', 'c1', 'migration.')).toEqual([]);
    expect(await candidates('config', 'set', 'c1', 'volatile.')).toEqual([]);
    expect(await candidates('profile', 'set', 'none', 'security.devlxd.')).toContain(
      'security.devlxd.images=',
    );
    expect(await candidates('config', 'device', 'set', 'c1', 'data', 'rec')).toEqual(['recursive=']);
  });

  it('paths inside instances', async () => {
    host.routes['GET /1.0/instances/c1/files'] = ({ url }) =>
      url.endsWith('path=%2Fetc%2F')
        ? { headers: { 'X-LXD-type': 'directory' }, metadata: ['hosts', 'passwd'] }
        : { error: [404, 'Not Found'] };
    expect(await candidates('file', 'delete', '')).toEqual(['c1/', 'web/']);
    expect(await candidates('file', 'pull', 'c1/etc/h')).toEqual([':files', 'c1/etc/hosts']);
    expect(await candidates('file', 'edit', 'c1/none/')).toEqual([]);
  });

  it('nothing when there are no candidates', async () => {
    expect(await candidates('nonsense', '')).toEqual([]);
    expect(await candidates('rename', 'c1', '')).toEqual([]);
    expect(await candidates('exec', 'c1', '--', '--f')).toEqual([]);
  });
});

it('tab prints nothing when the daemon does not run', async () => {
  const { stdout, stderr, code } = await runIn(`${host.dir}/none`, ['__complete', '--', 'start', '']);
  expect([stdout, stderr, code]).toEqual(['', '', 0]);
});

it('bash understands its script, which asks with the words that are typed so far', () => {
  const script = `
    porthole() { printf '<%s>' "$@"; echo; }
    ${COMPLETION_SCRIPTS.bash}
    COMP_WORDS=(porthole start c) COMP_CWORD=2
    _porthole
    printf '[%s]' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
  expect([stdout, stderr]).toEqual([String.raw`[\<__complete\>\<--\>\<start\>\<c\>]`, '']);
});

it('names of files in instances are quoted for bash', () => {
  const script = `
    porthole() { echo 'c1/$(reboot);x'; }
    ${COMPLETION_SCRIPTS.bash}
    COMP_WORDS=(porthole file edit c1/) COMP_CWORD=3
    _porthole
    printf '[%s]' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
  expect([stdout, stderr]).toEqual([String.raw`[c1/\$\(reboot\)\;x]`, '']);
});
