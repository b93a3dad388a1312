import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../src/process/run.ts';
import { until } from './harness/api.ts';
import { CallerTools } from './harness/caller.ts';
import { cycles } from './harness/cycles.ts';
import { BIN, TestDaemon } from './harness/daemon.ts';
import { Listener } from './harness/listener.ts';
import { Operator, type Watch } from './harness/operator.ts';

const HAND_OVERS = cycles(3, 10);
const PARALLEL = 4;

let daemon: TestDaemon;
let operator: Operator;
let tools: CallerTools;

beforeAll(async () => {
  daemon = await TestDaemon.start();
  operator = new Operator(daemon);
  tools = new CallerTools();
  await daemon.must('image', 'build', 'busybox');
  for (const name of ['c1', 'c2']) await operator.launch(name, { config: { 'user.who': name } });
});
afterAll(async () => {
  tools?.[Symbol.dispose]();
  await daemon?.destroy();
});

const place = async (name: string) => ({ daemon, tools, init: await operator.pid(name) });

/**
 * Makes requests inside an instance without a pause.
 * @returns a function that ends them and gives the results
 */
async function load(name: string): Promise<() => Promise<{ answered: number; wrong: string[] }>> {
  const child: ChildProcess = tools.spawn(
    await operator.pid(name),
    'load.mjs',
    daemon.guestSocket,
    name,
    `${PARALLEL}`,
  );
  const output = child.stdout as NodeJS.ReadableStream;
  await once(output, 'data');
  return async () => {
    const rest = text(output);
    child.stdin?.end();
    return JSON.parse(await rest);
  };
}

/** Children of the daemon that have ended and have not been reaped. */
function zombies(): string[] {
  const children = readFileSync(`/proc/${daemon.pid}/task/${daemon.pid}/children`, 'utf8').trim();
  return children
    .split(' ')
    .filter((pid) => pid && /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')));
}

describe('a restart in place (SIGHUP)', () => {
  it.each(['in a row', 'in a row, after those'])(
    `is not noticed by clients that connect and make requests, ${HAND_OVERS} times %s`,
    async () => {
      const { pid } = daemon;
      const socket = statSync(daemon.guestSocket).ino;
      const loads = await Promise.all(['c1', 'c2'].map(load));
      for (let count = 0; count < HAND_OVERS; count++) {
        await daemon.restartInPlace();
        expect((await operator.get('c1')).status).toBe('Running');
      }
      const [one, two] = await Promise.all(loads.map((end) => end()));
      process.stdout.write(
        `${HAND_OVERS} restarts in place: ${one!.answered + two!.answered} requests answered, ` +
          `${one!.wrong.length + two!.wrong.length} refused, cut or wrong\n`,
      );
      expect([one!.wrong, two!.wrong]).toEqual([[], []]);
      expect(Math.min(one!.answered, two!.answered)).toBeGreaterThan(HAND_OVERS * PARALLEL);
      expect([daemon.pid, statSync(daemon.guestSocket).ino]).toEqual([pid, socket]);
      expect(zombies()).toEqual([]);
    },
  );

  it('answers a client of the host API that connects before it and makes a request after it', async () => {
    const silent = connect(daemon.hostSocket);
    await once(silent, 'connect');
    await daemon.restartInPlace();
    silent.write('GET /1.0 HTTP/1.1\r\nHost: lxd\r\nConnection: close\r\n\r\n');
    expect(await text(silent)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  it('ends event streams with 1012, and the journal has the events of the meantime', async () => {
    const before = await Listener.open(await place('c1'), 'websocket', '?since=now');
    await operator.patch('c1', { config: { 'user.x': '1' } });
    const [first] = await before.first(1);
    const over = daemon.restartInPlace();
    await before.ended;
    expect(before.lines.at(-1)).toBe('closed 1012');
    await operator.patch('c1', { config: { 'user.x': '2' } });
    await over;
    const after = await Listener.open(await place('c1'), 'websocket', `?since=${first?.sequence}`);
    expect((await after.first(1))[0]?.metadata).toEqual({ key: 'user.x', old_value: '1', value: '2' });
    await after.close();
  });

  it('waits for an operation that is under way', async () => {
    const slow = operator.exec('c1', ['sh', '-c', 'sleep 1; echo done']);
    await operator.sh('c1', 'until pidof sleep; do :; done');
    await daemon.restartInPlace();
    expect((await slow).stdout).toBe('done\n');
  });

  it('does not wait for a command that goes on, not even for one that cannot end', async () => {
    await using patient = await TestDaemon.start(['--stop-seconds', '600']);
    const own = new Operator(patient);
    await patient.must('image', 'build', 'busybox');
    await own.launch('c1');
    const open = own.exec('c1', ['sleep', '100000']).catch((error) => error);
    const alone = { command: ['sleep', '100000'], 'wait-for-websocket': false };
    await own.client.begin('POST', '/1.0/instances/c1/exec', { json: alone });
    await own.sh('c1', 'until [ $(ps | grep -c "[s]leep 100000") = 2 ]; do :; done');
    await own.state('c1', 'freeze');
    await patient.restartInPlace();
    await open;
    await own.state('c1', 'unfreeze');
    await until(
      'both are gone',
      async () => (await own.sh('c1', 'ps | grep "[s]leep 100000" || true')) === '',
    );
  });

  it('does not happen when the new program could not start: the running one goes on and says why', async () => {
    const settings = join(daemon.stateDir, 'settings.yaml');
    writeFileSync(settings, 'guest-idle-seconds: never\n');
    const told = daemon.logged('the program on disk could not start: this one goes on');
    process.kill(daemon.pid, 'SIGHUP');
    expect((await told)['failure']).toContain('"never" is not a whole number');
    expect((await operator.get('c1')).status).toBe('Running');
    writeFileSync(settings, 'guest-idle-seconds: 77\n');
    await daemon.restartInPlace();
    expect((await operator.get('c1')).status).toBe('Running');
  });

  it.each([
    ['while the program on disk is tried', async () => {}, 'daemon stopped'],
    ['while it waits for an operation', (watch: Watch) => watch.ended, 'daemon handed over'],
  ])('becomes a clean stop when SIGTERM comes %s', async (_, moment, last) => {
    const watch = await operator.watch();
    const slow = operator.exec('c1', ['sh', '-c', 'touch /tmp/runs; sleep 2; rm /tmp/runs']).catch(() => {});
    await operator.sh('c1', 'until [ -e /tmp/runs ]; do :; done');
    process.kill(daemon.pid, 'SIGHUP');
    await moment(watch);
    expect(await daemon.stop()).toBe(0);
    await slow;
    expect(daemon.log.at(-1)?.msg).toBe(last);
    expect([existsSync(daemon.guestSocket), existsSync(daemon.hostSocket)]).toEqual([false, false]);
    await daemon.start();
    expect(await operator.statuses()).toEqual({ c1: 'Running', c2: 'Running' });
  });

  it('keeps other daemons out all the time, and allows a clean stop afterwards', async () => {
    await daemon.restartInPlace();
    const other = await run(join(BIN, 'portholed'), ['--state-dir', daemon.stateDir]);
    expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('has this state directory')]);
    expect(await daemon.stop()).toBe(0);
    expect([existsSync(daemon.guestSocket), existsSync(daemon.hostSocket)]).toEqual([false, false]);
    await daemon.start();
    expect(await operator.statuses()).toEqual({ c1: 'Running', c2: 'Running' });
  });
});

describe('/dev/lxd in an instance that runs', () => {
  it.each([
    ['a restart in place', () => daemon.restartInPlace()],
    ['a restart', () => daemon.restart()],
    ['a kill', () => daemon.kill().then(() => daemon.start())],
  ])("is the daemon's folder again after %s, mounted once, and its socket answers", async (_, happens) => {
    const pid = await operator.pid('c1');
    await happens();
    const [dev, ino] = (await operator.sh('c1', 'stat -c "%d %i" /dev/lxd')).split(' ').map(Number);
    const host = statSync(join(daemon.stateDir, 'devlxd'));
    expect([dev, ino]).toEqual([host.dev, host.ino]);
    expect(await operator.sh('c1', 'grep -c " /dev/lxd " /proc/self/mountinfo')).toBe('1');
    expect(await operator.sh('c1', 'devlxd /1.0/config/user.who')).toContain('c1');
    expect(await operator.pid('c1')).toBe(pid);
  });
});
