import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test as it } from 'vitest';
import { type FakeHost, finishedOperation, startFakeHost } from '../client/testing/fake-host.ts';
import { rebuild } from '../store/sqlite/rebuild.ts';
import { runIn } from './testing/fake-io.ts';

const ID = '0123456789abcdef0123456789abcdef';
const name = (minute: number) => `porthole-${ID.slice(0, 12)}-20261128T20${minute}00000Z.db`;
const COPY = { name: name(10), created_at: '2026-11-28T20:10:00.000Z', size: 4096 };

let host: FakeHost;
let folder: string;
beforeEach(async () => {
  folder = mkdtempSync('/var/tmp/porthole-cli-backup-');
  host = await startFakeHost({
    'GET /1.0/backups': () => ({
      metadata: { folder, minutes: 60, count: 48, failure: null, copies: [COPY] },
    }),
    'POST /1.0/backups': () => ({
      operation: finishedOperation({ metadata: { name: COPY.name, size: 4096 } }),
    }),
  });
});
afterEach(async () => {
  await host.stop();
  rmSync(folder, { recursive: true });
});

const porthole = (words: string, dir = host.dir) => runIn(dir, words.split(' '));

function makeCopy(path: string): void {
  const empty = { instances: new Map(), profiles: new Map(), images: new Map(), aliases: new Map() };
  const kept = { keptFolders: [], keptImages: [] };
  rebuild(path, { directoryId: ID, state: empty, ...kept, lastInstanceId: 1, position: 70 });
}

it('create prints the name of the copy, and nothing else', async () => {
  expect(await porthole('backup create')).toEqual({ code: 0, stdout: `${COPY.name}\n`, stderr: '' });
});

it('list prints copies for people and programs, and a remark if the last one failed', async () => {
  expect((await porthole('backup list -f compact')).stdout).toContain(
    `${COPY.name}  2026/11/28 20:10 UTC  4.10kB`,
  );
  expect(JSON.parse((await porthole('backup ls -f json')).stdout)).toEqual([COPY]);
  const failure = { at: '2026-11-28T20:20:00.000Z', reason: 'no room' };
  host.routes['GET /1.0/backups'] = () => ({ metadata: { copies: [], failure } });
  const { code, stdout, stderr } = await porthole('backup list -f csv');
  expect([code, stdout, stderr]).toEqual([0, '', 'The last copy failed on 2026/11/28 20:20 UTC: no room\n']);
});

it('verify takes a name, a path, or the newest copy', async () => {
  makeCopy(join(folder, COPY.name));
  for (const words of ['verify', `verify ${COPY.name}`, `verify ${join(folder, COPY.name)}`]) {
    const { code, stdout } = await porthole(`backup ${words} -f json`);
    expect([code, JSON.parse(stdout)]).toEqual([
      0,
      [expect.objectContaining({ path: join(folder, COPY.name), directory: ID, position: 70, profiles: 0 })],
    ]);
  }
});

it('verify works without a daemon, with the usual folder of the state directory', async () => {
  mkdirSync(join(folder, 'backups'));
  writeFileSync(join(folder, 'id'), `${ID}\n`);
  expect((await porthole('backup verify', folder)).stderr).toBe(
    `Error: There is no copy in ${folder}/backups\n`,
  );
  for (const minute of [20, 30]) makeCopy(join(folder, 'backups', name(minute)));
  expect((await porthole('backup verify -f csv', folder)).stdout).toContain(name(30));
});

it('verify fails with exit code 1 for what is no good copy', async () => {
  const path = join(folder, COPY.name);
  expect(await porthole('backup verify')).toMatchObject({
    code: 1,
    stderr: `Error: There is no file ${path}\n`,
  });
  writeFileSync(path, 'x'.repeat(10_000));
  expect(await porthole('backup verify')).toMatchObject({
    code: 1,
    stderr: `Error: The copy ${path} is damaged: file is not a database\n`,
  });
  expect((await porthole('backup verify a b')).code).toBe(2);
});
