import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test as it } from 'vitest';
import type { Harness } from '../../src/host/testing/harness.ts';
import { LinkedHosts } from '../../src/host/testing/linked-hosts.ts';
import { until } from '../harness/api.ts';
import { LxcClient, outputOf } from '../harness/lxc.ts';

// The stock client at one member, and instances on another. The link between them is real.
const CONFIG =
  'default-remote: local\nremotes:\n  local:\n    addr: unix://\n    public: false\naliases: {}\n';
const ROOT = { root: { type: 'disk', path: '/', pool: 'default' } };

let fleet: LinkedHosts;
let m1: Harness;
let m2: Harness;
let folder: string;

beforeEach(async () => {
  LxcClient.need();
  fleet = await LinkedHosts.start('m1', 'm2');
  [m1, m2] = [fleet.host('m1'), fleet.host('m2')];
  m1.backend.add('c1', { devices: ROOT }, true);
  m2.backend.add('c2', { devices: ROOT }, true);
  folder = mkdtempSync('/var/tmp/porthole-test-lxc-');
  mkdirSync(join(folder, 'home'));
  writeFileSync(join(folder, 'config.yml'), CONFIG);
});

afterEach(async () => {
  await fleet.stop();
  rmSync(folder, { recursive: true });
});

function begin(...args: readonly string[]): ChildProcess {
  const { PATH = '' } = process.env;
  const env = { PATH, HOME: join(folder, 'home'), LXD_DIR: m1.folder, LXD_CONF: folder };
  return spawn('lxc', args, { env, cwd: folder, stdio: ['pipe', 'pipe', 'pipe'] });
}

async function lxc(...args: readonly string[]): Promise<string> {
  const child = begin(...args);
  const output = outputOf(child);
  child.stdin?.end();
  let errors = '';
  child.stderr?.on('data', (chunk) => {
    errors += chunk;
  });
  const [code] = await once(child, 'close');
  return code === 0 ? output.text : `${code}: ${errors}`;
}

it('lists the instances of all members, with their locations', async () => {
  expect((await lxc('list', '-f', 'csv', '-c', 'nsL')).trim().split('\n')).toEqual([
    'c1,RUNNING,m1',
    'c2,RUNNING,m2',
  ]);
  await fleet.kill('m2');
  expect(await lxc('list', '-f', 'csv', '-c', 'nsL')).toContain('c2,ERROR,m2');
});

it('runs a command in an instance elsewhere', async () => {
  const child = begin('exec', 'c2', '-T', '--', 'cat');
  const output = outputOf(child);
  const exit = once(child, 'close');
  await until('the exec has begun', () => m2.backend.sessions.at(-1)?.starts === 1);
  const { process: cat } = m2.backend.sessions.at(-1)!;
  child.stdin?.end('hello');
  await cat.until(() => cat.inputEnded);
  cat.say(1, `${cat.text} back`);
  cat.exit(7);
  expect(await exit).toEqual([7, null]);
  expect(output.text).toBe('hello back');
});

it('pushes and pulls files of an instance elsewhere', async () => {
  const bytes = Buffer.alloc(5 * 1024 * 1024, 'porthole');
  writeFileSync(join(folder, 'big'), bytes);
  expect(await lxc('file', 'push', '-q', 'big', 'c2/big')).toBe('');
  expect(m2.backend.filesOf('c2').get('/big')?.bytes.equals(bytes)).toBe(true);
  expect(await lxc('file', 'pull', '-q', 'c2/big', 'back')).toBe('');
  expect(readFileSync(join(folder, 'back')).equals(bytes)).toBe(true);
});

it('changes instances elsewhere, and waits for the operations', async () => {
  expect(await lxc('pause', 'c2')).toBe('');
  expect(await lxc('config', 'set', 'c2', 'boot.autostart=true')).toBe('');
  expect(await lxc('config', 'get', 'c2', 'boot.autostart')).toBe('true\n');
  expect(await lxc('list', '-f', 'csv', '-c', 'ns')).toContain('c2,FROZEN');
  expect(await lxc('pause', 'c2')).toContain('already frozen');
});

it('makes an instance on the member that --target names, else on the one with the fewest', async () => {
  m2.backend.add('c3', { devices: ROOT });
  for (const args of [['n1', '--target', 'm2'], ['n2']])
    expect(await lxc('init', '--empty', '-s', 'default', ...args)).toMatch(/^Creating/);
  expect(await lxc('list', '-f', 'csv', '-c', 'nL', '^n')).toBe('n1,m2\nn2,m1\n');
});

it('shows the events of all members', async () => {
  const child = begin('monitor', '--type', 'lifecycle', '-f', 'json');
  const output = outputOf(child);
  const exit = once(child, 'exit');
  try {
    await until('the monitor listens', () => {
      for (const host of [m1, m2]) host.backend.operations.lifecycle('told', '/1.0/instances/x');
      return output.text.includes('"location":"m1"') && output.text.includes('"location":"m2"');
    });
  } finally {
    child.kill('SIGKILL');
    await exit;
  }
});
