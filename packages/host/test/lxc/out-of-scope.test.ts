import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test as it } from 'vitest';
import { run } from '../../src/process/run.ts';
import { LxcClient } from '../harness/lxc.ts';
import { BY_CLIENT, BY_DAEMON, BY_EXTENSION } from '../tables/out-of-scope.ts';

let lxc: LxcClient;
let before: unknown;

beforeAll(async () => {
  lxc = await LxcClient.start();
  writeFileSync(join(lxc.folder, 'backup'), 'no archive');
  await lxc.must('launch', 'busybox', 'c1', '-c', 'user.keep=1');
  await lxc.must('init', 'busybox', 'c2');
  await lxc.must('remote', 'add', 'other', `unix://${lxc.daemon.hostSocket}`);
  before = await everything();
});

afterAll(() => lxc?.destroy());

/** All state that these commands could change. */
async function everything() {
  const [instances, images, profiles] = await Promise.all(
    ['instances', 'images', 'profiles'].map((name) => lxc.must('query', `/1.0/${name}?recursion=1`)),
  );
  // Of an empty object the client prints nothing.
  const listed = (await lxc.must('query', '/1.0/operations')) || '{}';
  const operations = JSON.parse(listed) as { running?: string[] };
  const parts = readdirSync(join(lxc.daemon.stateDir, 'instances'));
  return { instances, images, profiles, parts, running: operations.running ?? [] };
}

/**
 * Runs a command that must fail.
 * @returns its only error, which is its last line; lines before it are remarks
 */
async function reasonOf(command: string): Promise<string> {
  const { code, stderr } = await run('lxc', command.split(' '), {
    env: lxc.env,
    cwd: lxc.folder,
    timeoutMs: 10_000,
  });
  const errors = stderr.split('\n').filter((line) => line.startsWith('Error: '));
  expect([code, errors.length, stderr.trimEnd().split('\n').at(-1)]).toEqual([1, 1, errors[0]]);
  expect(stderr).not.toMatch(/panic|goroutine|invalid character/);
  return errors[0]?.slice('Error: '.length) ?? '';
}

const rows = (table: Readonly<Record<string, readonly string[]>>) =>
  Object.entries(table).flatMap(([reason, commands]) =>
    commands.map((command) => [command, reason] as const),
  );

it.each(rows(BY_EXTENSION))('lxc %s: the client misses the extension %s', async (command, extension) => {
  expect(await reasonOf(command)).toMatch(
    new RegExp(`(^|: )The server is missing the required "${extension}" API extension$`),
  );
});

it.each(rows(BY_DAEMON))('lxc %s is refused with: %s', async (command, reason) => {
  const told = await reasonOf(command);
  expect(told.endsWith(reason), told).toBe(true);
});

it.each(rows(BY_CLIENT))('lxc %s: the client says: %s', async (command, reason) => {
  expect(await reasonOf(command)).toMatch(reason);
});

it('another project is empty', async () => {
  expect((await lxc.must('--project', 'p', 'list', '-f', 'csv')).trim()).toBe('');
});

it('the commands above have changed nothing', async () => {
  expect(await everything()).toEqual(before);
});
