import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { PLANTED, plant } from '../../../../faults/fleet/planted.ts';
import { run } from '../../src/process/run.ts';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const WALK_MS = 5 * 60_000;

/** What a walk would leave behind. */
const leftovers = () =>
  [
    '/var/tmp/porthole-fleet-faults-*',
    '/var/tmp/porthole-test-etcd-*',
    '/sys/fs/cgroup/*/porthole-fleet-faults-*',
  ]
    .flatMap((pattern) => globSync(pattern))
    .concat(globSync('/dev/shm/*faketime*'));

async function walk(...args: readonly string[]) {
  const program = join(ROOT, 'faults/fleet/main.ts');
  const ended = await run('unshare', ['--net', process.execPath, program, ...args], { timeoutMs: WALK_MS });
  return { code: ended.code, text: ended.stdout + ended.stderr };
}

it(
  'a fleet under faults loses, doubles, reorders and overwrites nothing, and nothing is left behind',
  async () => {
    const before = leftovers();
    const { code, text } = await walk('--minutes', '1.2');
    process.stdout.write(text);
    expect(code, text).toBe(0);
    expect(text).toContain('0 violations');
    // What was there may go: it is another test's.
    expect(leftovers().filter((path) => !before.includes(path))).toEqual([]);
  },
  WALK_MS,
);

/** Each takes about half a minute: two are tried each time, and all of them with ALL_PLANTED=1. */
const TRIED = process.env['ALL_PLANTED'] ? PLANTED : PLANTED.slice(0, 2);

it.each(TRIED.map((planted) => [planted.name, planted] as const))(
  'the check sees it when %s',
  async (_, planted) => {
    const folder = mkdtempSync('/var/tmp/porthole-planted-');
    try {
      plant(planted, ROOT, join(folder, 'copy'));
      await run('chmod', ['711', folder]);
      const { code, text } = await walk('--minutes', '0.3', ...planted.walk, '--root', join(folder, 'copy'));
      expect(text).toMatch(planted.seen);
      expect(code).toBe(1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
  WALK_MS,
);
