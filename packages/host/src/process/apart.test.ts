import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test as it } from 'vitest';
import { apart, keepProgramsApart } from './apart.ts';
import { run } from './run.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync('/var/tmp/porthole-apart-');
});
afterEach(() => {
  keepProgramsApart(null);
  rmSync(folder, { recursive: true });
});

const printed = async (...words: string[]) => {
  const [command, ...args] = apart(words);
  return run(command, args);
};

it('has a program enter another cgroup before it begins, with its arguments as they are', async () => {
  const procs = join(folder, 'cgroup.procs');
  keepProgramsApart(procs);
  expect((await printed('printf', '%s|', 'a b', '$0', "'", '')).stdout).toBe("a b|$0|'||");
  expect(readFileSync(procs, 'utf8')).toBe('0\n');
  expect(await printed('sh', '-c', 'exit 3')).toMatchObject({ code: 3, stderr: '' });
});

it('runs a program where the daemon is if there is no such cgroup', async () => {
  keepProgramsApart(join(folder, 'missing', 'cgroup.procs'));
  expect(await printed('echo', 'x')).toMatchObject({ ok: true, stdout: 'x\n', stderr: '' });
  keepProgramsApart(null);
  expect(apart(['echo', 'x'])).toEqual(['echo', 'x']);
});

it('reports a program that does not exist as a failure', async () => {
  keepProgramsApart(join(folder, 'cgroup.procs'));
  const { ok, failure } = await printed('no-such-command');
  expect([ok, failure]).toEqual([false, expect.stringContaining('no-such-command')]);
});
