import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { path } from '../../packages/host/src/client/host-client.ts';
import type { Bench } from '../bench.ts';
import { until } from '../frame/wait.ts';
import { launch, takeImage } from '../peers/container.ts';
import { buildImages } from '../peers/images.ts';
import { Portholed } from '../peers/porthole.ts';
import { addList } from './lxc-list.ts';

/** Real containers, and how many of them start with the daemon. */
const CONTAINERS = 300;
const AUTOSTARTED = 100;
const CONTAINERS_QUICK = 30;
const AUTOSTARTED_QUICK = 10;
/** Containers that are launched or stopped at a time. */
const AT_ONCE = 4;
const MS_PER_S = 1000;

/** k. The same with hundreds of real containers. @param checkout of the daemon */
export async function measureContainers(bench: Bench, checkout: string): Promise<void> {
  const { folder, plan, results, say, signal } = bench;
  const [size, starting] = plan.quick ? [CONTAINERS_QUICK, AUTOSTARTED_QUICK] : [CONTAINERS, AUTOSTARTED];
  say(`crowds: starting ${size} containers`);
  const daemon = new Portholed(join(folder, 'crowd-containers'), checkout);
  await using stack = new AsyncDisposableStack();
  stack.defer(() => daemon.destroy());
  await daemon.start({ cores: 'all' });
  await launchAll(bench, daemon, size, starting);
  for (let round = 0; round < plan.crowdRounds; round++) {
    signal.throwIfAborted();
    say(`crowds: ${size} containers, round ${round + 1}`);
    await addList(bench, daemon, { figure: 'containers-list', size });
    results.add('containers-restart', String(size), await restartSeconds(daemon));
    results.add('containers-autostart', String(size), await autostartSeconds(daemon, size, starting));
  }
}

const nameOf = (number: number) => `container-${number}`;

async function launchAll({ folder, signal }: Bench, daemon: Portholed, size: number, starting: number) {
  const imagesFolder = join(folder, 'crowd-images');
  await mkdir(imagesFolder);
  const images = await buildImages(imagesFolder, 1);
  await takeImage(daemon.client, images.busybox, 'busybox');
  await each(size, (number) => {
    signal.throwIfAborted();
    const config = { 'boot.autostart': String(number < starting) };
    return launch(daemon.client, nameOf(number), { config });
  });
}

/** Seconds from SIGHUP to the answer for an operator, who asks when the old program has handed over. */
async function restartSeconds(daemon: Portholed): Promise<number> {
  const started = performance.now();
  await daemon.hangUp();
  await daemon.client.get('/1.0/instances');
  return (performance.now() - started) / MS_PER_S;
}

/** Seconds from the start of a daemon until those that start with it run. */
async function autostartSeconds(daemon: Portholed, size: number, starting: number): Promise<number> {
  await each(starting, async (number) => {
    const json = { action: 'stop', timeout: 30, force: true };
    await daemon.client.change('PUT', path`/1.0/instances/${nameOf(number)}/state`, { json });
  });
  await daemon.stop();
  const started = performance.now();
  await daemon.start({ cores: 'all' });
  await until(`${size} containers run`, async () => (await runningOf(daemon)) === size);
  return (performance.now() - started) / MS_PER_S;
}

async function runningOf({ client }: Portholed): Promise<number> {
  const all = await client.get<{ status: string }[]>('/1.0/instances?recursion=1');
  return all.filter(({ status }) => status === 'Running').length;
}

/** Does work for the numbers below `count`, some at a time. */
async function each(count: number, work: (number: number) => Promise<unknown>): Promise<void> {
  const numbers = Array.from({ length: count }, (_, number) => number).values();
  const worker = async () => {
    for (const number of numbers) await work(number);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
