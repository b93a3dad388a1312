import {
  closeSync,
  copyFileSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HostClient, path } from '../../src/client/host-client.ts';
import { TestDaemon } from '../harness/daemon.ts';
import { SeededRandom } from '../harness/random.ts';
import { recover, tryStart } from '../harness/recovery.ts';

const DAMAGES = 20;
const PAGE = 4096;

const at = (daemon: TestDaemon, ...names: string[]) => join(daemon.stateDir, ...names);

describe('a damaged database', () => {
  let daemon: TestDaemon;
  let copy: string;
  const good = () => at(daemon, 'good.db');

  beforeAll(async () => {
    daemon = await TestDaemon.start();
    const client = new HostClient(daemon.hostSocket);
    for (let number = 0; number < 60; number++) {
      const config = { 'user.n': `${number}`, 'user.filler': 'x'.repeat(3_000) };
      await client.change('POST', '/1.0/profiles', {
        json: { name: `p${number}`, description: '', config, devices: {} },
      });
      await client.change('DELETE', path`/1.0/profiles/${`p${number - 30}`}`).catch(() => {});
    }
    copy = (await daemon.must('backup', 'create')).trim();
    await daemon.stop();
    copyFileSync(at(daemon, 'porthole.db'), good());
  });
  afterAll(() => daemon?.destroy());

  const profiles = () => daemon.must('profile', 'list', '-f', 'csv');

  function spoil(page: number, bytes: Buffer): void {
    const file = openSync(at(daemon, 'porthole.db'), 'r+');
    writeSync(file, bytes, 0, bytes.length, page * PAGE);
    closeSync(file);
  }

  function putBack(): void {
    for (const name of readdirSync(daemon.stateDir))
      if (/^porthole\.db(-wal|\.replaced.*)?$/.test(name)) rmSync(at(daemon, name));
    copyFileSync(good(), at(daemon, 'porthole.db'));
  }

  it.each([
    ['is missing', (file: string) => rmSync(file), 'missing or empty'],
    ['is empty', (file: string) => truncateSync(file, 0), 'missing or empty'],
    [
      'has lost its end',
      (file: string) => truncateSync(file, statSync(file).size - PAGE),
      'shorter than it was',
    ],
    ['has another beginning', () => spoil(0, Buffer.alloc(50, 1)), 'file is not a database'],
  ])('that %s is told in one sentence with the command, and recovered', async (_, damage, sentence) => {
    putBack();
    damage(at(daemon, 'porthole.db'));
    const said = await tryStart(daemon);
    expect(said).toContain(sentence);
    expect(said).toContain('`portholed recover`');
    expect((await recover(daemon)).failure).toBe('');
    await daemon.start();
    expect((await profiles()).split('\n').filter((line) => line.startsWith('p'))).toHaveLength(30);
    await daemon.stop();
  });

  it('with a damaged log is refused: commits in it would be lost without a message', async () => {
    putBack();
    await daemon.start();
    for (let turn = 0; turn < 5; turn++) await daemon.must('profile', 'set', 'p40', `user.turn=${turn}`);
    await daemon.kill();
    const log = openSync(at(daemon, 'porthole.db-wal'), 'r+');
    writeSync(log, Buffer.alloc(8, 1), 0, 8, 100);
    closeSync(log);
    expect(await tryStart(daemon)).toMatch(/`portholed recover`.*its log is damaged after 0 pages/);
    expect((await recover(daemon)).failure).toBe('');
    expect(readdirSync(daemon.stateDir).filter((name) => /replaced-\w+-wal$/.test(name))).toHaveLength(1);
    await daemon.start();
    await daemon.stop();
  });

  it(`damaged at a random place, ${DAMAGES} times, works or is refused; a recovery brings back everything in the copy`, async () => {
    const random = new SeededRandom(11);
    for (let turn = 0; turn < DAMAGES; turn++) {
      putBack();
      const pages = statSync(good()).size / PAGE;
      for (let hit = 0; hit < 3; hit++)
        spoil(Math.floor(random.next() * pages), Buffer.alloc(PAGE, Math.floor(random.next() * 256)));
      const said = await tryStart(daemon);
      if (said === '') {
        const { stdout, stderr } = await daemon.porthole('profile', 'create', `new${turn}`);
        expect(`${stdout}${stderr}`).toMatch(/created|`portholed recover`/);
        await daemon.kill();
      } else expect(said).toContain('`portholed recover`');
      await recover(daemon, '--from', at(daemon, 'backups', copy));
      await daemon.start();
      expect((await profiles()).split('\n').filter((line) => line.startsWith('p'))).toHaveLength(30);
      await daemon.stop();
    }
  });
});
