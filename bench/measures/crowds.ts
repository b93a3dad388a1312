import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { join, resolve } from 'node:path';
import type { Bench } from '../bench.ts';
import { bind } from '../frame/cores.ts';
import { buildForm } from '../peers/built.ts';
import { type Population, populate } from '../peers/population.ts';
import { CHECKOUT, type Portholed } from '../peers/porthole.ts';
import { measureContainers } from './crowd-containers.ts';
import { addList } from './lxc-list.ts';

const MS_PER_S = 1000;
/** The profile that all adopted instances use. */
const PROFILE = '/1.0/profiles/default';

/** k. What an operator waits for while a daemon has thousands of adopted instances. */
export async function measureCrowds(bench: Bench): Promise<void> {
  const { plan, folder } = bench;
  // Users run the built form; another checkout is taken as it is.
  const checkout =
    plan.checkout === resolve(CHECKOUT) ? await buildForm(bench, 'crowds-built') : plan.checkout;
  await mkdir(join(folder, 'crowds'));
  for (const size of plan.crowdSizes) {
    bench.say(`crowds: a daemon with ${size} instances`);
    const options = { checkout, watched: true };
    await using population = await populate({ ...bench, folder: join(folder, 'crowds') }, size, options);
    await bind(population.daemon.pid, 'all');
    for (let round = 0; round < plan.crowdRounds; round++) await measureRound(bench, population, round);
  }
  await measureContainers(bench, checkout);
}

async function measureRound(bench: Bench, population: Population, round: number): Promise<void> {
  const { results, signal, say } = bench;
  const { size, daemon, crowd } = population;
  const column = String(size);
  signal.throwIfAborted();
  say(`crowds: ${size} instances, round ${round + 1}`);
  const options = ['-c', 'ns'];
  // Also gives the machine the memory that the client of the list after the edit uses again.
  await addList(bench, daemon, { figure: 'crowd-list-before', size, options });
  await daemon.delays();
  results.add('crowd-edit', column, await editSeconds(daemon, String(round)));
  const { p99, most } = await daemon.delays();
  results.add('crowd-edit-p99', column, p99);
  results.add('crowd-edit-most', column, most);
  await addList(bench, daemon, { figure: 'crowd-list', size, options });
  results.add('crowd-answer', column, await answerSeconds(daemon));
  await daemon.stop();
  const started = performance.now();
  await daemon.start({ cores: 'all', watched: true });
  await daemon.client.get('/1.0');
  await crowd.hold(1, 1);
  results.add('crowd-start', column, (performance.now() - started) / MS_PER_S);
  await crowd.leave(1);
}

async function editSeconds({ client }: Portholed, value: string): Promise<number> {
  const before = performance.now();
  await client.change('PATCH', PROFILE, { json: { config: { 'user.crowd': value } } });
  return (performance.now() - before) / MS_PER_S;
}

/** The time of the request that `lxc list` makes, without what a client does with the answer. */
async function answerSeconds({ client: { socketPath } }: Portholed): Promise<number> {
  const before = performance.now();
  const request = get({ socketPath, path: '/1.0/instances?filter=&recursion=1' });
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  if (answer.statusCode !== 200) throw new Error(`the list is answered with ${answer.statusCode}`);
  await once(answer.resume(), 'end');
  return (performance.now() - before) / MS_PER_S;
}
