import { randomInt } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run } from '../../src/process/run.ts';
import { until } from '../harness/api.ts';
import { Bundles } from '../harness/bundles.ts';
import { BIN, TestDaemon } from '../harness/daemon.ts';
import { Operator } from '../harness/operator.ts';
import { SeededRandom } from '../harness/random.ts';
import { podmanWay } from '../harness/ways/managers.ts';
import type { Told, Way } from '../harness/ways/way.ts';

const COUNT = 300;
const AT_ONCE = 8;
/** One of so many is a container of Podman, which takes much longer. */
const PODMANS = 15;
const KILLS = 10;
/** A killed daemon is started at once; the next one may be killed while it starts, which takes about as long. */
const LONGEST_LIFE_MS = 600;
const WAIT_MS = 60_000;

/** Seed of all random choices; PORTHOLE_TEST_SEED repeats those of an earlier test. */
const seed = Number(process.env['PORTHOLE_TEST_SEED'] ?? randomInt(2 ** 31));

let daemon: TestDaemon;
let operator: Operator;
let bundles: Bundles;
let podman: Way;
beforeAll(async () => {
  daemon = await TestDaemon.start(['--forget-removed', 'on']);
  operator = new Operator(daemon);
  const told: Told = { stateDir: daemon.stateDir, porthole: join(BIN, 'porthole') };
  bundles = await Bundles.make(told);
  podman = await podmanWay(told);
  mkdirSync(join(bundles.root, 'answers'));
  mkdirSync(answers());
});
afterAll(async () => {
  await podman?.[Symbol.asyncDispose]();
  await bundles?.[Symbol.asyncDispose]();
  await daemon?.destroy();
});

const answers = (...names: string[]) => bundles.folder(join('answers', ...names));

/**
 * The first program. It sends a request at once, and again only while no daemon answers, which is exit code 7. It
 * prints the answer and the exit code.
 */
const scriptOf = (file: string) =>
  [
    `while devlxd /1.0/config/user.x > ${file}.part 2>&1; code=$?; [ $code = 7 ]; do sleep 0.05; done`,
    `echo " $code" >> ${file}.part`,
    `mv ${file}.part ${file}`,
  ].join('\n');

/** Starts a container, waits for its answer, ends it by itself or by force, and removes it. */
async function oneOfRunc(name: string, value: string, ends: boolean): Promise<string> {
  const script = `${scriptOf(`/answers/${name}`)}\n${ends ? 'exit' : 'exec sleep inf'}`;
  const shown = { '/answers': answers() };
  bundles.write(name, { root: bundles.root, readOnly: true, script, value, shown });
  await bundles.start(name);
  await until(`${name} has an answer`, () => existsSync(answers(name)), WAIT_MS);
  if (ends) await until('it has ended', async () => (await stateOf(name)) === 'stopped', WAIT_MS);
  await bundles.delete(name, ...(ends ? [] : ['--force']));
  return readFileSync(answers(name), 'utf8').trim();
}

async function stateOf(name: string): Promise<string> {
  return JSON.parse((await bundles.runc('state', name)).stdout).status;
}

async function oneOfPodman(name: string, value: string): Promise<string> {
  await podman.start(name, value, `${scriptOf('/tmp/first')}\nexec sleep inf`);
  let answer = '';
  const hasAnswer = async () => {
    answer = (await podman.exec(name, 'cat', '/tmp/first')).stdout.trim();
    return answer !== '';
  };
  await until(`${name} has an answer`, hasAnswer, WAIT_MS);
  await podman.stop(name);
  await podman.remove(name);
  return answer;
}

const wordOf = (number: number) => `value-${number}`;
const oneOf = (number: number): Promise<string> => {
  const name = `c${number}`;
  if (number % PODMANS === 0) return oneOfPodman(name, wordOf(number));
  return oneOfRunc(name, wordOf(number), number % 2 === 0);
};

/** Kills the daemon again and again while containers come and go. @param begun how many have begun by now */
async function killAgainAndAgain(random: SeededRandom, begun: () => number): Promise<void> {
  const moments = Array.from({ length: KILLS }, () => Math.floor(random.next() * COUNT));
  let starting = Promise.resolve();
  for (const moment of moments.sort((a, b) => a - b)) {
    await until(`${moment} containers have begun`, () => begun() >= moment, WAIT_MS);
    await wait(random.next() * LONGEST_LIFE_MS);
    await daemon.kill();
    starting = daemon.start();
    // It may be killed before it has started.
    starting.catch(() => {});
  }
  await starting;
}

/** Everything that must not exist when all containers are gone. */
async function traces() {
  const processes = (await run('ps', ['-eo', 'pid,args'])).stdout.split('\n');
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  const isOurs = (text: string) => text.includes(daemon.stateDir) || text.includes(bundles.host.folder);
  return {
    instances: await operator.statuses(),
    requests: readdirSync(join(daemon.stateDir, 'hooks')),
    states: (await bundles.runc('list', '--quiet')).stdout.split('\n').filter((name) => /^c\d+$/.test(name)),
    processes: processes.filter((text) => isOurs(text) && Number.parseInt(text, 10) !== daemon.pid),
    mounts: mounts.filter(isOurs),
    cgroups: bundles.host.cgroupsBelow(),
    connections: daemon.connections(),
  };
}
const NONE = {
  instances: {},
  requests: [],
  states: [],
  processes: [],
  mounts: [],
  cgroups: [],
  connections: [],
};

const filesOpen = () => readdirSync(`/proc/${daemon.pid}/fd`).length;

it(`${COUNT} containers come and go while the daemon is killed ${KILLS} times: all are answered, nothing is left`, async () => {
  process.stdout.write(`seed ${seed}\n`);
  // The first run starts the thread that watches for ends, with files of its own.
  await oneOf(COUNT);
  const isClean = async () => JSON.stringify(await traces()) === JSON.stringify(NONE);
  await until('nothing is left of the first one', isClean, WAIT_MS);
  const filesBefore = filesOpen();
  let begun = 0;
  const answered = new Map<number, string>();
  const worker = async () => {
    for (let number = begun++; number < COUNT; number = begun++) answered.set(number, await oneOf(number));
  };
  const kills = killAgainAndAgain(new SeededRandom(seed), () => begun);
  await Promise.all([kills, ...Array.from({ length: AT_ONCE }, worker)]);
  const wrong = [...answered].filter(([number, answer]) => answer !== `${wordOf(number)} 0`);
  expect(wrong).toEqual([]);
  expect(answered.size).toBe(COUNT);
  await until('nothing is left', isClean, WAIT_MS).catch(() => {});
  expect(await traces()).toEqual(NONE);
  expect(filesOpen()).toBeLessThanOrEqual(filesBefore);
});
