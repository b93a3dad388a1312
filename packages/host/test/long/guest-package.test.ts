import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeGuestPackage } from '../../../../tools/package/guest.ts';
import { run } from '../../src/process/run.ts';
import { until } from '../harness/api.ts';
import { TestDaemon } from '../harness/daemon.ts';
import { debianImage } from '../harness/debian-root.ts';
import { Operator } from '../harness/operator.ts';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const README = join(ROOT, 'packages/guest/README.md');
/** The newest release of each version of Node before ours, from npm. */
const NODES = ['20', '22', '24'];
/** Each step downloads. */
const TIMEOUT_MS = 10 * 60_000;

/** A program of a user of the package. Its first argument is the path of the socket. */
const PROGRAM = `
import { GuestApiError, GuestClient, type GuestEvent } from '@porthole/guest';
import type { ServerInfo } from '@porthole/guest/wire';

const host = new GuestClient({ socketPath: process.argv[2] as string });
const server: ServerInfo = await host.server();
const role: string | undefined = await host.config('user.role');
const none: string | undefined = await host.config('user.none');
await host.setState('Ready');
const events: readonly GuestEvent[] = (await host.eventsSince(0)).events;
const status = await host.exportImage('a'.repeat(64), process.stdout).catch((error: unknown) =>
  error instanceof GuestApiError ? error.status : String(error),
);
console.log(JSON.stringify([server.api_version, role, none ?? null, Array.isArray(events), status]));
`;

describe('the npm package of the client for instances', () => {
  let folder: string;
  let daemon: TestDaemon;
  let init: number;

  beforeAll(async () => {
    folder = mkdtempSync('/var/tmp/porthole-test-guest-');
    // Below the checkout, whose types the compiler finds.
    const work = mkdtempSync(join(ROOT, 'dist-guest-'));
    try {
      makeGuestPackage(join(work, 'package'), folder, '0.0.1');
    } finally {
      rmSync(work, { recursive: true });
    }
    const names = NODES.map((version) => `n${version}@npm:node-linux-${process.arch}@${version}`);
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    await must(
      'npm',
      'install',
      '--ignore-scripts',
      '--no-audit',
      `--prefix=${folder}`,
      tarball(),
      'npm@11',
      ...names,
    );
    cpSync(join(ROOT, 'node_modules/@types/node'), join(folder, 'node_modules/@types/node'), {
      recursive: true,
    });
    cpSync(join(ROOT, 'node_modules/undici-types'), join(folder, 'node_modules/undici-types'), {
      recursive: true,
    });
    await must('chmod', '-R', 'a+rX', folder);
    daemon = await TestDaemon.start();
    await daemon.must('image', 'build', 'busybox');
    await new Operator(daemon).launch('c1', { config: { 'user.role': 'web' } });
    init = await daemon.initPid('c1');
  }, TIMEOUT_MS);
  afterAll(async () => {
    await daemon?.destroy();
    rmSync(folder, { recursive: true, force: true });
  });

  async function must(command: string, ...args: string[]): Promise<string> {
    const { ok, failure, stdout, stderr } = await run(command, args, { timeoutMs: TIMEOUT_MS });
    if (!ok) throw new Error(`${failure}\n${stdout}${stderr}`);
    return stdout;
  }

  it('has no dependencies, and JavaScript and types for every module', () => {
    const lib = readdirSync(join(folder, 'node_modules/@porthole/guest/lib')).sort();
    expect(lib.filter((name) => !/\.(js|d\.ts)$/.test(name))).toEqual([]);
    expect(lib).toEqual(expect.arrayContaining(['client.d.ts', 'client.js', 'wire.d.ts', 'wire.js']));
  });

  it('has types with which a program compiles, and the program runs on every Node from 20 on', async () => {
    mkdirSync(join(folder, 'program'));
    writeFileSync(join(folder, 'program/main.ts'), PROGRAM);
    const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
    const options = [
      '--ignoreConfig',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--types',
      'node',
    ];
    await must(process.execPath, compiler, ...options, join(folder, 'program/main.ts'));
    await must('chmod', '-R', 'a+rX', folder);
    const nodes = NODES.map((version) => join(folder, 'node_modules', `n${version}`, 'bin/node'));
    for (const node of [...nodes, ownNode()]) {
      const enter = ['-t', String(init), '-U', '-p', '-S', '0', '-G', '0', '--'];
      const said = await must('nsenter', ...enter, node, join(folder, 'program/main.js'), daemon.guestSocket);
      expect([node, JSON.parse(said)]).toEqual([node, ['1.0', 'web', null, true, 403]]);
    }
  });

  it(
    'is installed by npm in a Debian instance, where the lines of its README follow a key',
    async () => {
      const image = await debianImage(
        { suite: 'bookworm', packages: ['systemd-sysv', 'libstdc++6'] },
        folder,
      );
      await daemon.must('image', 'import', image, '--alias', 'debian');
      await daemon.must('launch', 'debian', 'c2', '-c', 'user.role=web');
      const push = (from: string, to: string) =>
        daemon.must('file', 'push', '-p', '--mode', '0755', from, `c2/${to}`);
      await push(join(folder, 'node_modules/n20/bin/node'), 'usr/local/bin/node');
      await must('tar', '-C', join(folder, 'node_modules'), '-cf', join(folder, 'npm.tar'), 'npm');
      await push(join(folder, 'npm.tar'), 'root/');
      await push(tarball(), 'root/');
      const npm = ['node', '/opt/npm/bin/npm-cli.js', 'install', '--offline', '--no-audit'];
      const inside = (...command: string[]) =>
        daemon.must('exec', 'c2', '--cwd', '/root', '-n', '--', ...command);
      await inside('tar', '-C', '/opt', '-xf', 'npm.tar');
      expect(await inside(...npm, `./${basename(tarball())}`)).toContain('added 1 package');
      const [, program = ''] = /```js\n(.*?)```/s.exec(readFileSync(README, 'utf8')) ?? [];
      writeFileSync(join(folder, 'follow.mjs'), program);
      await push(join(folder, 'follow.mjs'), 'root/');
      await inside('sh', '-c', 'node follow.mjs >said 2>&1 &');
      await until(
        'it is ready',
        async () => (await daemon.must('list', '-c', 's', '-f', 'csv', 'c2')) === 'READY\n',
      );
      // It says that it is ready just before it listens.
      let changes = 0;
      await until('it has heard of a change', async () => {
        await daemon.must('config', 'set', 'c2', 'user.other=x', `user.role=db-${++changes}`);
        return (await inside('cat', 'said')).endsWith(`\ndb-${changes}\n`);
      });
      expect(await inside('cat', 'said')).toMatch(/^web\n(db-\d+\n)+$/);
    },
    TIMEOUT_MS,
  );

  const tarball = () => join(folder, 'porthole-guest-0.0.1.tgz');

  /** The project's Node, where users of an instance can read it. */
  function ownNode(): string {
    cpSync(process.execPath, join(folder, 'node-own'), { dereference: true });
    return join(folder, 'node-own');
  }
});
