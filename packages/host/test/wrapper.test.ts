import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BIN } from './harness/daemon.ts';
import { PrivateHost } from './harness/private-host.ts';

const WRAPPER = join(BIN, 'porthole-runtime');

let host: PrivateHost;
let bundle: string;
let stateDir: string;
beforeAll(async () => {
  host = await PrivateHost.make('wrapper');
  host.rootArchive();
});
afterAll(() => host?.[Symbol.asyncDispose]());
beforeEach(() => {
  bundle = join(host.folder, 'bundle');
  stateDir = join(host.folder, 'state');
  for (const folder of [bundle, stateDir]) rmSync(folder, { recursive: true, force: true });
  for (const folder of [bundle, join(stateDir, 'devlxd')]) mkdirSync(folder, { recursive: true });
});

/** Writes a bundle whose container runs a shell script. */
function writeBundle(script: string): void {
  const spec = {
    ociVersion: '1.0.2',
    process: {
      args: ['sh', '-c', script],
      cwd: '/',
      env: ['PATH=/bin'],
      user: { uid: 0, gid: 0 },
      rlimits: [{ type: 'RLIMIT_NOFILE', hard: 64, soft: 64 }],
    },
    root: { path: join(host.folder, 'unpacked/rootfs') },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs' },
    ],
    linux: {
      cgroupsPath: `/${host.cgroup}/c`,
      namespaces: ['pid', 'mount', 'network'].map((type) => ({ type })),
      resources: { memory: { limit: 0 } },
    },
  };
  // A number that JavaScript would round, where the real runtime reads it.
  const text = JSON.stringify(spec).replace('"limit":0', '"limit":9007199254740993');
  writeFileSync(join(bundle, 'config.json'), text);
}

const wrapper = (...words: string[]) => host.run([WRAPPER, '--porthole-state-dir', stateDir, ...words]);
const runBundle = (...words: string[]) =>
  wrapper(...words, '--root', '/run/runc', 'run', '--bundle', bundle, 'c1');

describe('the wrapper of an OCI runtime', () => {
  it('adds the mount, read-only, and becomes the real runtime', async () => {
    writeFileSync(join(stateDir, 'devlxd/there'), 'there');
    writeBundle('cat /dev/lxd/there; touch /dev/lxd/new 2>&1; exit 7');
    const { code, stdout, stderr } = await runBundle();
    expect({ code, stdout }).toEqual({
      code: 7,
      stdout: 'theretouch: /dev/lxd/new: Read-only file system\n',
    });
    expect(stderr).toBe('');
    expect(readFileSync(join(bundle, 'config.json'), 'utf8')).toContain('"limit":9007199254740993');
    expect((await runBundle()).code).toBe(7);
  });

  it('passes descriptors and standard input on to the container', async () => {
    writeBundle('cat; cat <&3');
    writeFileSync(join(host.folder, 'passed'), 'three');
    const fd = openSync(join(host.folder, 'passed'), 'r');
    const words = [
      '--porthole-state-dir',
      stateDir,
      '--root',
      join(host.folder, 'runc'),
      'run',
      '--preserve-fds=1',
      'c2',
    ];
    const { stdout, stderr } = spawnSync(WRAPPER, words, {
      cwd: bundle,
      input: 'input ',
      stdio: ['pipe', 'pipe', 'pipe', fd],
    });
    expect({ stdout: String(stdout), stderr: String(stderr) }).toEqual({ stdout: 'input three', stderr: '' });
  });

  it('makes the start fail without the daemon, only with --porthole-required', async () => {
    writeBundle('echo started');
    expect(await runBundle()).toMatchObject({ code: 0, stdout: 'started\n' });
    writeBundle('echo started');
    const refused = await runBundle('--porthole-required');
    expect(refused).toMatchObject({ ok: false, stdout: '' });
    expect(refused.stderr).toContain('no daemon has ever used the state directory');
  });

  it('says why a bundle cannot be edited, also in the log that the caller reads', async () => {
    const log = join(host.folder, 'log');
    const text = `${bundle}/config.json cannot be edited: `;
    const { code, stderr } = await runBundle('--log', log, '--log-format', 'json');
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`porthole-runtime: ${text}`),
    });
    expect(JSON.parse(readFileSync(log, 'utf8'))).toMatchObject({
      level: 'error',
      msg: expect.stringContaining(text),
    });
  });

  it.each([
    ['--porthole-runtime', '--porthole-runtime needs a value'],
    ['--porthole-runtime=missing', 'there is no runtime missing'],
    ['--porthole-x', 'there is no option --porthole-x'],
  ])('refuses %s: %s', async (word, why) => {
    const { code, stdout, stderr } = await wrapper(word);
    expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: '', stderr: `porthole-runtime: ${why}\n` });
  });

  it('passes other commands on to the real runtime unchanged', async () => {
    expect((await wrapper('--version')).stdout).toMatch(/^runc version/);
    expect(await wrapper('--log', 'create', 'state', 'none')).toMatchObject({ ok: false });
    expect(existsSync(join(bundle, 'config.json'))).toBe(false);
    expect((await wrapper('--porthole-runtime=/bin/echo', 'delete', '--force', 'a b')).stdout).toBe(
      'delete --force a b\n',
    );
  });
});
