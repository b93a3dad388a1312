import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MIGRATIONS } from './migrations/list.ts';
import { openDatabase } from './open.ts';
import { openStore } from './open-store.ts';

const VERSIONS_WITHOUT_ID = 3;

let folder: string;
const at = (...names: string[]) => join(folder, ...names);
const paths = () => ({
  database: at('porthole.db'),
  id: at('id'),
  images: at('images'),
  roots: at('rootfs'),
  instances: at('instances'),
});

beforeEach(() => {
  folder = mkdtempSync('/var/tmp/porthole-directory-');
  for (const name of ['images', 'rootfs', 'instances']) mkdirSync(at(name));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Opens and closes the store. @returns whether leftovers may be removed */
async function start(): Promise<boolean> {
  const { store, settled } = await openStore(paths(), {});
  store.close();
  return settled;
}

/** All files with their contents, except SQLite's log, which is empty here. */
const contents = () =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.endsWith('-wal'))
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path, readFileSync(path).toString('base64')]),
  );

async function refuses(sentence: RegExp): Promise<void> {
  const before = contents();
  await expect(openStore(paths(), {})).rejects.toThrow(sentence);
  expect(contents()).toEqual(before);
}

describe('the store of a state directory', () => {
  it('is made in a new directory, and settled from the second start on', async () => {
    mkdirSync(at('instances', 'lost+found'));
    expect(await start()).toBe(false);
    expect(await start()).toBe(true);
    expect(readFileSync(at('id'), 'utf8')).toMatch(/^[0-9a-f]{32}\n$/);
  });

  it('accepts the database and files of an earlier version', async () => {
    openDatabase(at('porthole.db'), MIGRATIONS.slice(0, VERSIONS_WITHOUT_ID)).close();
    mkdirSync(at('instances', '1'));
    expect(await start()).toBe(false);
    expect(await start()).toBe(true);
  });

  it.each(['database', 'empty database'])('is refused if lost while files exist (case: %s)', async (what) => {
    await start();
    mkdirSync(at('instances', '1'));
    rmSync(at('porthole.db'));
    rmSync(at('porthole.db-wal'), { force: true });
    if (what === 'empty database') writeFileSync(at('porthole.db'), '');
    await refuses(/missing or empty/);
    rmSync(at('id'));
    await refuses(/missing or empty/);
    expect(existsSync(at('porthole.db'))).toBe(what === 'empty database');
  });

  it('is refused with an error if it is not a database, or is damaged', async () => {
    await start();
    const whole = readFileSync(at('porthole.db'));
    rmSync(at('porthole.db-wal'), { force: true });
    writeFileSync(at('porthole.db'), Buffer.alloc(8192, 'x'));
    await refuses(/^The database is damaged: run `portholed recover` while/);
    const cut = Buffer.from(whole);
    cut.fill(0xff, 4096);
    writeFileSync(at('porthole.db'), cut);
    await expect(openStore(paths(), {}).then(({ store }) => store.load())).rejects.toThrow(/is damaged/);
    writeFileSync(at('porthole.db'), whole);
    expect(await start()).toBe(true);
  });

  it('is refused if it belongs to another directory or program', async () => {
    await start();
    const id = readFileSync(at('id'), 'utf8');
    writeFileSync(at('id'), `${'0'.repeat(32)}\n`);
    await refuses(/belongs to the state directory with id/);
    writeFileSync(at('id'), id);
    rmSync(at('porthole.db'));
    const other = new DatabaseSync(at('porthole.db'));
    other.exec('CREATE TABLE notes (text)');
    other.close();
    rmSync(at('porthole.db-wal'), { force: true });
    await refuses(/not a database of Porthole/);
  });

  it('is accepted if a copy of it is put back', async () => {
    await start();
    const copy = readFileSync(at('porthole.db'));
    await start();
    rmSync(at('porthole.db'));
    writeFileSync(at('porthole.db'), copy);
    expect(await start()).toBe(true);
  });

  it('is completed by the next start if the first one was cut off, at any step', async () => {
    await start();
    const id = readFileSync(at('id'), 'utf8');
    const database = readFileSync(at('porthole.db'));
    const stages: (() => void)[] = [
      () => writeFileSync(at('id.new'), id),
      () => {
        writeFileSync(at('id.new'), id);
        writeFileSync(at('porthole.db'), '');
      },
      () => {
        writeFileSync(at('id.new'), id);
        openDatabase(at('porthole.db'), MIGRATIONS.slice(0, VERSIONS_WITHOUT_ID)).close();
      },
      () => {
        writeFileSync(at('id.new'), id);
        writeFileSync(at('porthole.db'), database);
      },
    ];
    for (const stage of stages) {
      for (const name of ['id', 'id.new', 'porthole.db', 'porthole.db-wal'])
        rmSync(at(name), { force: true });
      stage();
      expect(await start()).toBe(false);
      expect(await start()).toBe(true);
      expect(readFileSync(at('id'), 'utf8')).toBe(id);
    }
  });
});
