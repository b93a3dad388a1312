import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test as it } from 'vitest';
import { type Finished, run } from '../src/process/run.ts';
import { BIN } from './harness/daemon.ts';

const NOBODY = 65_534;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync('/var/tmp/porthole-test-start-');
  chmodSync(folder, 0o755);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/**
 * Starts the daemon through another program, which takes a right or a limit from it; the daemon ends soon.
 */
function portholed(by: readonly string[], stateDir: string, ...more: readonly string[]): Promise<Finished> {
  const [command = '', ...args] = [...by, join(BIN, 'portholed'), '--state-dir', stateDir, ...more];
  return run(command, args, { env: { PATH: process.env['PATH'] ?? '' }, timeoutMs: 60_000 });
}

const AS_NOBODY = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
/** Root without the right to override file modes. */
const WITHOUT_OVERRIDE = ['setpriv', '--bounding-set=-dac_override', '--inh-caps=-dac_override'];

it('as a user other than root, portholed says so and creates nothing', async () => {
  const stateDir = join(folder, 'user');
  const { code, stdout, stderr } = await portholed(AS_NOBODY, stateDir);
  expect([code, stdout, stderr]).toEqual([
    1,
    '',
    'portholed: this must run as root: it makes namespaces, mounts and cgroups\n',
  ]);
  expect(existsSync(stateDir)).toBe(false);
});

it('any user can ask portholed for its version', async () => {
  expect(await portholed(AS_NOBODY, join(folder, 'none'), '--version')).toMatchObject({
    code: 0,
    stderr: '',
  });
});

it('with a low limit on open files, portholed says which limit it needs, and creates nothing', async () => {
  const stateDir = join(folder, 'few');
  const limited = [
    'setpriv',
    '--bounding-set=-sys_resource',
    '--inh-caps=-sys_resource',
    'prlimit',
    '--nofile=40:40',
  ];
  const { code, stdout, stderr } = await portholed(limited, stateDir);
  expect([code, stdout, stderr]).toEqual([
    1,
    '',
    expect.stringMatching(/^portholed: the limit on open files is 40: raise it to 256 at least, .+\n$/),
  ]);
  expect(existsSync(stateDir)).toBe(false);
});

it('portholed names a state directory that it cannot write to, in one line', async () => {
  const stateDir = join(folder, 'theirs');
  mkdirSync(stateDir);
  chownSync(stateDir, NOBODY, NOBODY);
  chmodSync(stateDir, 0o755);
  const { code, stdout, stderr } = await portholed(WITHOUT_OVERRIDE, stateDir);
  expect([code, stdout, stderr]).toEqual([
    1,
    '',
    expect.stringMatching(/^portholed: The state directory cannot be used: EACCES: .+theirs\/.+\n$/),
  ]);
});

it('an unexpected error is one line, and has a stack trace only at the log level debug', async () => {
  const stateDir = join(folder, 'odd');
  mkdirSync(join(stateDir, 'lock'), { recursive: true });
  const refused = (...more: string[]) => portholed(['env'], stateDir, ...more);
  const line = /^portholed: cannot start with the state directory \S+odd: .+\n/;
  const [brief, debug] = [await refused(), await refused('--log-level', 'debug')];
  expect([brief.code, brief.stderr.replace(line, '')]).toEqual([1, '']);
  expect([debug.code, debug.stderr.replace(line, '')]).toEqual([1, expect.stringMatching(/\n +at /)]);
});
