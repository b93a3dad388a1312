import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test as it } from 'vitest';
import { lookBefore } from './first-look.ts';
import { logDamage } from './log-check.ts';

const COMMITS = 20;
let folder: string;
let log: Buffer;
let file: string;

/** The log of a database that was killed after some commits. */
beforeAll(() => {
  folder = mkdtempSync('/var/tmp/porthole-log-');
  file = join(folder, 'a.db');
  const database = new DatabaseSync(file);
  database.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (a); PRAGMA wal_checkpoint(TRUNCATE)');
  for (let row = 0; row < COMMITS; row++) database.exec(`INSERT INTO t VALUES (${row})`);
  copyFileSync(`${file}-wal`, join(folder, 'log'));
  copyFileSync(file, join(folder, 'database'));
  database.close();
  log = readFileSync(join(folder, 'log'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const PAGE = 4096;
const FRAME = 24 + PAGE;
const spoilt = (at: number) => {
  const copy = Buffer.from(log);
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
  return copy;
};

it('finds nothing wrong with a whole log, an empty one and an emptied one', () => {
  for (const whole of [log, Buffer.alloc(0), Buffer.alloc(10), Buffer.alloc(9_000)])
    expect(logDamage(whole)).toBe('');
});

it('finds a damaged header', () => {
  for (const at of [0, 8, 17, 26, 31]) expect(logDamage(spoilt(at))).toBe('the header of its log is damaged');
});

it.each([0, 3, 8, 100, FRAME - 1])('finds damage at byte %i of a page that is not the last one', (at) => {
  expect(logDamage(spoilt(32 + 2 * FRAME + at))).toMatch(
    /^its log is damaged after 2 pages, before \d+ commits$/,
  );
});

it('takes a cut or torn end for that of a commit that was not finished', () => {
  const last = 32 + (COMMITS - 1) * FRAME;
  for (const end of [last, last + 10, last + FRAME - 1]) expect(logDamage(log.subarray(0, end))).toBe('');
  expect(logDamage(spoilt(last + 500))).toBe('');
});

it('leaves a damaged database and its log as they are', async () => {
  const damaged = join(folder, 'b.db');
  copyFileSync(join(folder, 'database'), damaged);
  writeFileSync(`${damaged}-wal`, log);
  await lookBefore(damaged);
  writeFileSync(damaged, 'x'.repeat(100), { flag: 'r+' });
  await expect(lookBefore(damaged)).rejects.toThrow('file is not a database');
  expect(readFileSync(`${damaged}-wal`).equals(log)).toBe(true);
});

it('finds a file that has lost its end, unless a log may have it', async () => {
  const short = join(folder, 'c.db');
  copyFileSync(join(folder, 'database'), short);
  truncateSync(short, PAGE);
  await expect(lookBefore(short)).rejects.toThrow('the file is shorter than it was');
  writeFileSync(`${short}-wal`, log);
  await lookBefore(short);
});
