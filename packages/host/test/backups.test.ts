import { existsSync, mkdtempSync, readdirSync, rmSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { HostClient } from '../src/client/host-client.ts';
import { run } from '../src/process/run.ts';
import { inspectCopy } from '../src/store/sqlite/inspect.ts';
import { until } from './harness/api.ts';
import { cycles } from './harness/cycles.ts';
import { mountsBelow, TestDaemon } from './harness/daemon.ts';
import { SeededRandom } from './harness/random.ts';

const COPIES = cycles(5, 40);
const KILLS = cycles(3, 20);
/** Room for the database and for what a copy leaves free, and not much more. */
const DISK_BYTES = '80M';
/** A copy takes about this long. */
const COPY_MS = 150;

let folder: string;
let daemon: TestDaemon;
let client: HostClient;

beforeAll(async () => {
  folder = mkdtempSync('/var/tmp/porthole-test-copies-');
  expect(
    (await run('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES},mode=700`, 'tmpfs', folder])).failure,
  ).toBe('');
  daemon = await TestDaemon.start(['--backup-folder', folder, '--backup-count', '100']);
  client = new HostClient(daemon.hostSocket);
  for (const name of ['even', 'odd']) await daemon.must('profile', 'create', name);
});
afterAll(async () => {
  await daemon?.destroy();
  for (const mount of mountsBelow(folder)) await run('umount', ['--lazy', mount]);
  rmSync(folder, { recursive: true });
});

const copies = () => readdirSync(folder).filter((name) => name.endsWith('.db'));

/** Changes two profiles in turn, each to the number of the change. */
class Writer {
  acknowledged = 0;
  sent = 0;
  #isOver = false;
  readonly #work = this.#write();

  async #write(): Promise<void> {
    while (!this.#isOver) {
      this.sent = this.acknowledged + 1;
      const name = this.sent % 2 === 0 ? 'even' : 'odd';
      const config = { 'user.n': `${this.sent}`, 'user.filler': 'x'.repeat(20_000) };
      await client.change('PATCH', `/1.0/profiles/${name}`, { json: { config } });
      this.acknowledged = this.sent;
    }
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#work.catch(() => {});
  }
}

/** The numbers of the last change of each profile in a copy. */
function numbersIn(path: string): { even: number; odd: number } {
  const database = new DatabaseSync(path, { readOnly: true });
  const rows = database.prepare("SELECT name, config FROM profiles WHERE name IN ('even', 'odd')").all();
  database.close();
  const of = (name: string) =>
    Number(JSON.parse(String(rows.find((row) => row['name'] === name)?.['config']))['user.n'] ?? 0);
  return { even: of('even'), odd: of('odd') };
}

it(`${COPIES} copies made during many writes each have all changes up to one of them, and no later one`, async () => {
  const writer = new Writer();
  await until('it writes', () => writer.acknowledged > 20);
  for (let turn = 0; turn < COPIES; turn++) {
    const before = writer.acknowledged;
    const name = (await daemon.must('backup', 'create')).trim();
    const after = writer.sent;
    inspectCopy(join(folder, name), true);
    const { even, odd } = numbersIn(join(folder, name));
    expect(Math.abs(even - odd)).toBe(1);
    expect(Math.max(even, odd)).toBeGreaterThanOrEqual(before);
    expect(Math.max(even, odd)).toBeLessThanOrEqual(after);
  }
  await writer.end();
});

it('lists and checks copies, also while no daemon runs', async () => {
  const listed = JSON.parse(await daemon.must('backup', 'list', '-f', 'json')) as {
    name: string;
    size: number;
  }[];
  expect(listed.map(({ name }) => name)).toEqual(copies().sort().reverse());
  const path = join(folder, listed[0]?.name ?? '');
  expect(statSync(path).size).toBe(listed[0]?.size);
  expect(await daemon.must('backup', 'verify', listed[0]?.name ?? '', '-f', 'csv')).toContain(path);
  await daemon.stop();
  expect(await daemon.must('backup', 'verify', path, '-f', 'csv')).toContain(path);
  await daemon.start();
  expect((await daemon.porthole('backup', 'verify', join(daemon.stateDir, 'id'))).stderr).toContain(
    'is damaged',
  );
  expect((await daemon.porthole('backup', 'verify', '/nowhere/x')).stderr).toBe(
    'Error: There is no file /nowhere/x\n',
  );
});

it(`leaves only good copies when the daemon is killed while it makes one, ${KILLS} times`, async () => {
  const random = new SeededRandom(3);
  for (let turn = 0; turn < KILLS; turn++) {
    const making = daemon.porthole('backup', 'create');
    await wait(random.next() * COPY_MS);
    await daemon.kill();
    await making;
    await daemon.start();
    await until('parts are gone', () => readdirSync(folder).every((name) => !name.endsWith('.part')));
    for (const name of copies()) inspectCopy(join(folder, name), true);
  }
});

/** Less than any database has. */
const LEFT_BYTES = 32_768;

it('says that the disk of the copies is full, continues, and makes copies again when there is room', async () => {
  const before = copies();
  const filler = join(folder, 'filler');
  const { bavail, bsize } = statfsSync(folder);
  // The database may be small: its reserve is filled only when the daemon is idle.
  expect((await run('fallocate', ['-l', String(bavail * bsize - LEFT_BYTES), filler])).failure).toBe('');
  const { code, stderr } = await daemon.porthole('backup', 'create');
  expect([code, stderr]).toEqual([1, expect.stringContaining('the disk of the copies has not enough room')]);
  expect(copies()).toEqual(before);
  expect(await daemon.must('info')).toContain('The last copy FAILED');
  expect((await daemon.porthole('backup', 'list')).stderr).toContain('has not enough room');
  await daemon.must('profile', 'set', 'even', 'user.a=1');
  rmSync(filler);
  await daemon.must('backup', 'create');
  expect(await daemon.must('info')).not.toContain('FAILED');
});

it('restarts in place while a copy is being made, and makes copies afterwards', async () => {
  const making = daemon.porthole('backup', 'create');
  await daemon.restartInPlace();
  await making;
  expect(existsSync(join(folder, (await daemon.must('backup', 'create')).trim()))).toBe(true);
});
