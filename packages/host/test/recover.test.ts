import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRecords } from '../src/records/read-records.ts';
import { ask, until } from './harness/api.ts';
import { TestDaemon } from './harness/daemon.ts';
import { Operator } from './harness/operator.ts';
import { recover, tryStart } from './harness/recovery.ts';

const at = (daemon: TestDaemon, ...names: string[]) => join(daemon.stateDir, ...names);

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

  it('is not recovered while it runs, or while its database is not damaged', async () => {
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
    'finds them again %s: they continue to run, get answers, and no id or position is used twice',
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

  it('keeps the folders of unknown instances', async () => {
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
