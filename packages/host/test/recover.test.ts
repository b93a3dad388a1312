import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HostClient, path } from '../src/client/host-client.ts';
import { run } from '../src/process/run.ts';
import { readRecords } from '../src/records/read-records.ts';
import { ask, until } from './harness/api.ts';
import { cycles } from './harness/cycles.ts';
import { BIN, TestDaemon } from './harness/daemon.ts';
import { Operator } from './harness/operator.ts';
import { SeededRandom } from './harness/random.ts';

const DAMAGES = cycles(2, 30);
const PAGE = 4096;

const recover = (daemon: TestDaemon, ...args: string[]) =>
  run(join(BIN, 'portholed'), ['recover', '--state-dir', daemon.stateDir, ...args]);
const at = (daemon: TestDaemon, ...names: string[]) => join(daemon.stateDir, ...names);

/** Starts the daemon on a state directory that may be damaged. @returns its only line if it refuses; '' if it runs */
async function tryStart(daemon: TestDaemon): Promise<string> {
  const before = daemon.log.length;
  try {
    await daemon.start();
    return '';
  } catch (error) {
    expect(String(error)).toContain('the daemon ended with 1');
    const said = daemon.log.slice(before);
    expect(said).toHaveLength(1);
    return said[0]?.msg ?? '';
  }
}

describe('a daemon whose instances run', () => {
  let daemon: TestDaemon;
  let operator: Operator;

  beforeAll(async () => {
    daemon = await TestDaemon.start();
    operator = new Operator(daemon);
    await daemon.must('image', 'build', 'busybox');
    await operator.launch('c1', { config: { 'user.who': 'c1' } });
    await daemon.must('backup', 'create');
    await operator.launch('c2', { config: { 'user.who': 'c2' } });
    await until(
      'c2 has a record',
      () => readRecords(at(daemon, 'records')).state.instances.get(2)?.config['user.who'] === 'c2',
    );
  });
  afterAll(() => daemon?.destroy());

  it('is left alone while it runs, and while its database is whole', async () => {
    expect((await recover(daemon)).stderr).toMatch(
      /^portholed: Another Porthole daemon \(pid \d+\) has this state directory/,
    );
    await daemon.stop();
    expect((await recover(daemon)).stderr).toContain('is not damaged');
    await daemon.start();
  });

  it.each([
    ['from a copy', []],
    ['from records alone', ['--without-copy']],
  ])(
    'has them again %s: they run on, are answered, and no id or position is given twice',
    async (_, args) => {
      const [first, second] = [await operator.pid('c1'), await operator.pid('c2')];
      await operator.patch('c1', { config: { 'user.x': `${Math.random()}` } });
      const old = await newest(daemon, first);
      await daemon.kill();
      rmSync(at(daemon, 'porthole.db'));
      expect(await tryStart(daemon)).toContain('run `portholed recover`');

      const dry = await recover(daemon, ...args, '--dry-run');
      expect([dry.code, dry.stdout]).toEqual([0, expect.stringContaining('Nothing was changed')]);
      expect(existsSync(at(daemon, 'porthole.db'))).toBe(false);
      const done = await recover(daemon, ...args, '-f', 'json');
      expect([done.code, done.stderr]).toEqual([0, '']);
      const { items, position: bumped } = JSON.parse(done.stdout) as {
        items: { name: string; note: string }[];
        position: number;
      };
      expect(items.filter(({ note }) => note !== '')).toEqual([]);

      await daemon.start();
      expect([await operator.pid('c1'), await operator.pid('c2')]).toEqual([first, second]);
      for (const name of ['c1', 'c2'])
        expect(await operator.sh(name, 'devlxd /1.0/config/user.who')).toBe(name);
      for (const since of [0, old - 1, old, old + 1, bumped - 1])
        expect(await eventsSince(daemon, first, since)).toMatchObject({ status: 410 });
      expect(await newest(daemon, first)).toBeGreaterThanOrEqual(bumped);
      await operator.patch('c1', { config: { 'user.y': `${bumped}` } });
      expect((await eventsSince(daemon, first, bumped)).body).toContain('user.y');
      const launched = `n${args.length}`;
      await operator.launch(launched);
      expect(Math.max(...ids(daemon))).toBeGreaterThan(1_000_000);
      await operator.state(launched, 'stop', { force: true });
      await operator.delete(launched);
    },
  );

  it('keeps files of which nothing is known', async () => {
    await operator.launch('c3');
    const id = Math.max(...ids(daemon));
    await daemon.kill();
    rmSync(at(daemon, 'porthole.db'));
    rmSync(at(daemon, 'records'), { recursive: true });
    expect((await recover(daemon)).stdout).toContain(`folder instances/${id}: nothing is known`);
    await daemon.start();
    await until('leftovers are removed', () => daemon.log.some(({ msg }) => msg === 'leftovers removed'));
    expect(existsSync(at(daemon, 'instances', String(id), 'overlay'))).toBe(true);
    expect(await daemon.must('list', '-f', 'csv', '-c', 'n')).toBe('c1\n');
  });
});

const ids = (daemon: TestDaemon) => readdirSync(at(daemon, 'instances')).map(Number).filter(Boolean);

/** What the journal answers to a guest that continues at a position. */
async function eventsSince(daemon: TestDaemon, init: number, since: number | string) {
  const { status, body } = await ask(daemon, { init }, `/1.0/events?since=${since}&limit=10`);
  return { status, body };
}

/** The position of the newest event. */
async function newest(daemon: TestDaemon, init: number): Promise<number> {
  return (JSON.parse((await eventsSince(daemon, init, 'now')).body) as { next: number }).next;
}

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

  it('with a damaged log is refused: commits in it would be lost without a word', async () => {
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

  it(`damaged at a random place, ${DAMAGES} times, works or is refused; a recovery brings all of the copy back`, async () => {
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
