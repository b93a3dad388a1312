import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test as it } from 'vitest';
import { run } from '../src/process/run.ts';
import { TestDaemon } from './harness/daemon.ts';
import { Operator } from './harness/operator.ts';
import { REFUSALS } from './tables/pylxd.ts';

const FLOWS = fileURLToPath(new URL('./programs/pylxd/flows.py', import.meta.url));
const TIMEOUT_MS = 150_000;

let daemon: TestDaemon;
let results: Record<string, unknown>;

beforeAll(async () => {
  daemon = await TestDaemon.start();
  await daemon.must('image', 'build', 'busybox');
  const operator = new Operator(daemon);
  await operator.launch('run');
  await operator.create('stopped');
  results = await runFlows();
});

afterAll(() => daemon?.destroy());

/** Runs the flows in one process of Debian's Python: loading pylxd takes half a second. */
async function runFlows(): Promise<Record<string, unknown>> {
  const env = { PATH: process.env['PATH'] ?? '', LXD_DIR: daemon.stateDir };
  const options = { env, input: JSON.stringify(Object.keys(REFUSALS)), timeoutMs: TIMEOUT_MS };
  const { ok, failure, stdout, stderr } = await run('/usr/bin/python3', ['-W', 'ignore', FLOWS], options);
  if (/No module named 'pylxd'/.test(stderr))
    throw new Error('pylxd is missing: apt-get install python3-pylxd');
  if (!ok) throw new Error(`${failure}\n${stderr}`);
  // pylxd itself prints a line for some errors.
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
}

it('creates, starts, freezes, restarts, stops, renames and deletes instances', async () => {
  const statuses = ['Stopped', 'Running', 'Frozen', 'Running', 'Running', 'Running', 'Stopped', 'Running'];
  expect(results['states']).toEqual({
    statuses: [...statuses, 'Stopped'],
    names: ['c2', 'c3', 'run', 'stopped'],
    left: 2,
    role: 'web',
  });
});

it('changes config, devices and profiles of a running instance', () => {
  expect(results['config']).toEqual({
    description: 'changed',
    own: '1',
    expanded: ['profile', 'later'],
    mounted: 0,
    used_by: ['/1.0/instances/run'],
    renamed: ['default', 'site'],
    profiles: ['default'],
  });
});

it('executes commands', () => {
  expect(results['execute']).toEqual({
    failing: [3, 'out\n', 'err\n'],
    stdin: 'line\n',
    bytes: [0, 255],
    large: 100_000,
    handlers: ['a\n', 'b\n'],
    missing: 127,
  });
});

it('puts, lists, gets and deletes files', () => {
  expect(results['files']).toEqual({
    f: 'text',
    g: [0, 255],
    owner: '640 1 2',
    deep: 'deep',
    listing: ['f', 'g', 'tree'],
  });
});

it('reads the state of an instance', () => {
  expect(results['state']).toEqual({
    status: 'Running',
    runs: true,
    memory: true,
    networks: true,
  });
});

it('hears lifecycle events', () => {
  expect(results['events']).toEqual([
    ['profile-created', '/1.0/profiles/heard'],
    ['profile-deleted', '/1.0/profiles/heard'],
  ]);
});

it('exports, deletes, creates and names images', () => {
  expect(results['images']).toEqual({
    gone: true,
    same: true,
    aliases: ['busybox'],
    public: true,
    note: 'kept',
    all: 1,
  });
});

it('lists networks, storage pools and projects', () => {
  expect(results['listings']).toEqual({
    pool: ['default', 'dir', ['/1.0/instances/run', '/1.0/instances/stopped', '/1.0/profiles/default']],
    networks: expect.objectContaining({ lo: ['loopback', false, []] }),
    exist: [true, true, false],
    projects: ['/1.0/projects/default'],
    trusted: true,
  });
});

it('gets an exception with the daemon’s own sentence for what is refused', () => {
  expect(results['refusals']).toEqual(REFUSALS);
});
