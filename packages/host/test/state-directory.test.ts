import { copyFileSync, existsSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../src/process/run.ts';
import { until } from './harness/api.ts';
import { TestDaemon } from './harness/daemon.ts';
import { Operator } from './harness/operator.ts';
import { SeededRandom } from './harness/random.ts';

/** A first start is cut off at a random moment within this time. */
const LONGEST_LIFE_MS = 1_500;
const CUT_OFF = 4;

const at = (daemon: TestDaemon, ...names: string[]) => join(daemon.stateDir, ...names);

/** Starts a daemon that must refuse to start. @returns its error, which must be one log line */
async function refusal(daemon: TestDaemon): Promise<string> {
  const before = daemon.log.length;
  await expect(daemon.start()).rejects.toThrow('the daemon ended with 1');
  const said = daemon.log.slice(before);
  expect(said).toHaveLength(1);
  return said[0]?.msg ?? '';
}

function putBack(daemon: TestDaemon, copy: string): void {
  for (const name of ['porthole.db', 'porthole.db-wal']) rmSync(at(daemon, name), { force: true });
  copyFileSync(copy, at(daemon, 'porthole.db'));
}

async function isRunning(daemon: TestDaemon, id: number): Promise<boolean> {
  const { stdout } = await run('lxc-info', ['-n', String(id), '-P', at(daemon, 'instances'), '-s', '-H']);
  return stdout.trim() === 'RUNNING';
}

describe('a state directory with a running instance', () => {
  let daemon: TestDaemon;
  let operator: Operator;

  beforeAll(async () => {
    daemon = await TestDaemon.start();
    operator = new Operator(daemon);
    await daemon.must('image', 'build', 'busybox');
    await operator.launch('c1');
    await operator.sh('c1', 'echo precious > /root/note');
  });
  afterAll(() => daemon?.destroy());

  const everything = () =>
    ['images', 'rootfs', 'instances'].flatMap((name) => readdirSync(at(daemon, name)).sort());

  it.each([
    [
      'is missing',
      (path: string) => rmSync(path),
      /porthole\.db is missing or empty, but .* run `portholed recover`/,
    ],
    ['is empty', (path: string) => truncateSync(path, 0), /is missing or empty/],
    [
      'is not a database',
      (path: string) => writeFileSync(path, 'x'.repeat(10_000)),
      /database is damaged: run `portholed recover`/,
    ],
    ['is that of another directory', foreign, /belongs to the state directory with id/],
  ])('is left unchanged, with a one-line error, when its database %s', async (_, spoil, sentence) => {
    await daemon.stop();
    const copy = at(daemon, 'copy.db');
    copyFileSync(at(daemon, 'porthole.db'), copy);
    const before = everything();
    spoil(at(daemon, 'porthole.db'));
    expect(await refusal(daemon)).toMatch(sentence);
    expect(everything()).toEqual(before);
    expect(await isRunning(daemon, 1)).toBe(true);
    putBack(daemon, copy);
    await daemon.start();
    expect(await operator.sh('c1', 'cat /root/note')).toBe('precious');
  });

  it('keeps instances that are newer than a database that was put back, and does not reuse their ids', async () => {
    await daemon.stop();
    const copy = at(daemon, 'copy.db');
    copyFileSync(at(daemon, 'porthole.db'), copy);
    await daemon.start();
    await operator.launch('c2');
    await operator.sh('c2', 'echo later > /root/note');
    const init = await operator.pid('c2');
    await daemon.stop();
    putBack(daemon, copy);
    for (let start = 0; start < 2; start++) {
      await daemon.start();
      await swept(daemon);
      await operator.launch(`n${start}`);
      await operator.sh(`n${start}`, 'test ! -e /root/note');
      const note = `/proc/${init}/root/root/note`;
      expect((await run('cat', [note])).stdout).toBe('later\n');
      await operator.state(`n${start}`, 'stop', { force: true });
      await operator.delete(`n${start}`);
      await daemon.stop();
    }
    expect(daemon.log.filter(({ msg }) => msg.startsWith('the database is older than'))).toMatchObject([
      { folders: [2] },
    ]);
    await run('lxc-stop', ['-k', '-n', '2', '-P', at(daemon, 'instances')]);
    await daemon.start();
    await swept(daemon);
    expect(existsSync(at(daemon, 'instances', '2', 'overlay', 'upper', 'root', 'note'))).toBe(true);
  });

  it('keeps the files of a running instance that is not in the database', async () => {
    await operator.launch('c3');
    await daemon.stop();
    const database = new DatabaseSync(at(daemon, 'porthole.db'));
    const row = database.prepare("DELETE FROM instances WHERE name = 'c3' RETURNING id").get();
    database.close();
    const number = Number(row?.['id']);
    const told = daemon.logged('an instance that is not in the database runs');
    await daemon.start();
    expect(await told).toMatchObject({ folder: number });
    expect(await isRunning(daemon, number)).toBe(true);
    await daemon.stop();
    await run('lxc-stop', ['-k', '-n', String(number), '-P', at(daemon, 'instances')]);
    await daemon.start();
    await until('its files are gone', () => !existsSync(at(daemon, 'instances', String(number))));
  });
});

/** Makes a database one of another state directory. */
function foreign(path: string): void {
  const database = new DatabaseSync(path);
  database.exec(`UPDATE meta SET value = '${'0'.repeat(32)}' WHERE key = 'directory-id'`);
  database.close();
}

/** Waits until this start has removed the leftovers. */
async function swept(daemon: TestDaemon): Promise<void> {
  await until('the sweep is over', () => daemon.log.some(({ msg }) => msg === 'leftovers removed'));
  daemon.log.splice(
    daemon.log.findIndex(({ msg }) => msg === 'leftovers removed'),
    1,
  );
}

it(`a daemon starts after ${CUT_OFF} first starts that were cut off, without any repair`, async () => {
  const random = new SeededRandom(7);
  await using daemon = await TestDaemon.start();
  await daemon.stop();
  for (let cut = 0; cut < CUT_OFF; cut++) {
    for (const name of readdirSync(daemon.stateDir)) rmSync(at(daemon, name), { recursive: true });
    const starting = daemon.start().catch(() => {});
    await wait(random.next() * LONGEST_LIFE_MS);
    await daemon.kill();
    await starting;
    await daemon.start();
    await daemon.stop();
  }
});

it('a state directory that cannot be written to is refused with a one-line error', async () => {
  await using daemon = await TestDaemon.start();
  await daemon.stop();
  await run('mount', ['--bind', daemon.stateDir, daemon.stateDir]);
  await run('mount', ['-o', 'remount,bind,ro', daemon.stateDir]);
  expect(await refusal(daemon)).toMatch(
    /^portholed: The state directory cannot be used: EROFS: read-only file system/,
  );
  await run('umount', [daemon.stateDir]);
  await daemon.start();
});
