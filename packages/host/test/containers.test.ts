import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from './harness/api.ts';
import { BIN, TestDaemon } from './harness/daemon.ts';
import { Operator } from './harness/operator.ts';
import { outputOf } from './harness/private-host.ts';
import { lxcWay } from './harness/ways/lxc.ts';
import { dockerWay, podmanWay } from './harness/ways/managers.ts';
import { runcWay } from './harness/ways/runc.ts';
import type { Told, Way } from './harness/ways/way.ts';

let daemon: TestDaemon;
let operator: Operator;
let told: Told;
beforeAll(async () => {
  daemon = await TestDaemon.start();
  operator = new Operator(daemon);
  told = { stateDir: daemon.stateDir, porthole: join(BIN, 'porthole') };
});
afterAll(() => daemon?.destroy());

const WAYS: readonly (readonly [string, (told: Told) => Promise<Way>])[] = [
  ['Docker', dockerWay],
  ['Podman', podmanWay],
  ['runc', runcWay],
  ['LXC', lxcWay],
];

const stateOf = async (name: string) => (await operator.statuses())[name];
const isStopped = (name: string) =>
  until(`${name} is stopped`, async () => (await stateOf(name)) === 'Stopped');

describe.each(WAYS)('A container of %s', (_title, make) => {
  let way: Way;
  /** Instances have names of their own in each way: Docker's and Podman's containers may have the same. */
  let web: string;
  beforeAll(async () => {
    way = await make(told);
    web = `web-${way.runtime}`;
    await way.start(web, 'front');
  });
  afterAll(() => way?.[Symbol.asyncDispose]());

  const inside = async (name: string, ...words: string[]) =>
    outputOf(words.join(' '), await way.exec(name, ...words));
  const devlxd = (name: string, ...words: string[]) => inside(name, '/usr/bin/devlxd', ...words);
  /** The sequence numbers and values of the first events of config after a position. */
  async function eventsAfter(position: number, count: number): Promise<[number, string][]> {
    const child = way.spawn(web, '/usr/bin/devlxd', 'events', 'config', String(position));
    const found: [number, string][] = [];
    const enough = Promise.withResolvers<void>();
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      if (!line.startsWith('{')) return;
      const { sequence, metadata } = JSON.parse(line);
      found.push([sequence, metadata.value]);
      if (found.length === count) enough.resolve();
    });
    await enough.promise;
    const ended = once(child, 'exit');
    await inside(web, 'sh', '-c', 'kill $(pidof nc.openbsd)');
    await ended;
    return found;
  }

  it('gets an answer to the first request of its first program', async () => {
    await until('it has asked', async () => (await inside(web, 'cat', '/tmp/first')) !== '');
    expect(await inside(web, 'cat', '/tmp/first')).toBe('front');
    expect((await operator.get(web)).config).toMatchObject({ 'volatile.container.runtime': way.runtime });
  });

  it('reports that it is ready', async () => {
    await devlxd(web, '-d', '{"state": "Ready"}', '/1.0');
    expect(await stateOf(web)).toBe('Ready');
  });

  it('is the same instance after a restart: with its config, and no event is lost or comes twice', async () => {
    const { created_at: created } = await operator.get(web);
    const set = (value: string) => operator.patch(web, { config: { 'user.x': value } });
    await set('two');
    const [[position, value] = [0, '']] = await eventsAfter(0, 1);
    expect(value).toBe('two');
    await set('three');
    await way.restart(web);
    await set('four');
    const missed = await eventsAfter(position, 2);
    expect(missed.map(([, value]) => value)).toEqual(['three', 'four']);
    expect(await devlxd(web, '/1.0/config/user.x')).toBe('four');
    expect((await operator.get(web)).created_at).toBe(created);
  });

  it('does not see another container, and is not seen by it', async () => {
    const db = `db-${way.runtime}`;
    await way.start(db, 'back');
    expect(await devlxd(db, '/1.0/config/user.x')).toBe('back');
    expect(await devlxd(web, '/1.0/config/user.x')).toBe('four');
    await way.stop(db);
    await isStopped(db);
  });

  it('is known to the next daemon, also if it was started again meanwhile', async () => {
    await daemon.kill();
    await daemon.start();
    expect(await devlxd(web, '/1.0/config/user.x')).toBe('four');
    await daemon.kill();
    await way.restart(web);
    await daemon.start();
    expect(await devlxd(web, '/1.0/config/user.x')).toBe('four');
    expect(await stateOf(web)).toBe('Running');
  });

  it('is stopped when it ends', async () => {
    await way.stop(web);
    await isStopped(web);
  });

  it('is deleted with its container, only with forget-removed', async () => {
    expect(await stateOf(web)).toBe('Stopped');
    await way.remove(web);
    writeFileSync(join(daemon.stateDir, 'settings.yaml'), 'forget-removed: "on"\n');
    await daemon.restartInPlace();
    await until('it is forgotten', async () => (await stateOf(web)) === undefined);
    writeFileSync(join(daemon.stateDir, 'settings.yaml'), '');
    await daemon.restartInPlace();
  });
});
