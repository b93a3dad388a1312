import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Bench } from '../bench.ts';
import { buildForm } from '../peers/built.ts';
import { launch, takeImage } from '../peers/container.ts';
import { buildImages } from '../peers/images.ts';
import { KEY_TARGET, type Peer } from '../peers/peer.ts';
import { CHECKOUT, Portholed } from '../peers/porthole.ts';
import { addList } from './lxc-list.ts';

/** As many real containers as fit on a small host. */
const CONTAINERS = 60;
const COLUMN = String(CONTAINERS);
/** How long the program in a container waits for the daemon. */
const PATIENCE_SECONDS = 180;
const MS_PER_S = 1000;
const NS_PER_S = 1e9;

/** o. The cost of a daemon restart for instances and operators, with many real containers running. */
export async function measureRestarts(bench: Bench): Promise<void> {
  const { folder, plan, results, say, signal } = bench;
  say(`restarts: starting ${CONTAINERS} containers`);
  // Users restart the built form; another checkout is taken as it is.
  const checkout =
    plan.checkout === resolve(CHECKOUT) ? await buildForm(bench, 'restarts-built') : plan.checkout;
  const daemon = new Portholed(join(folder, 'restarts'), checkout);
  await using stack = new AsyncDisposableStack();
  stack.defer(() => daemon.destroy());
  await daemon.start({ cores: 'all' });
  const guest = await populate(bench, daemon);
  for (let round = 0; round < plan.restartRounds; round++) {
    signal.throwIfAborted();
    say(`restarts: round ${round + 1} of ${plan.restartRounds}`);
    results.add('killed-start', COLUMN, await killedStart(bench, daemon, guest));
    // The first one after a start, and the next.
    for (const figure of ['list-first', 'list-next'] as const)
      await addList(bench, daemon, { figure, size: CONTAINERS });
    results.add('hang-up', COLUMN, await hungUp(daemon));
  }
}

/** Starts the containers. @returns the last one, as a caller of the guest API */
async function populate({ folder, signal }: Bench, daemon: Portholed): Promise<Peer> {
  const imagesFolder = join(folder, 'restarts-images');
  await mkdir(imagesFolder);
  const images = await buildImages(imagesFolder, 1);
  await takeImage(daemon.client, images.busybox, 'busybox');
  let callersOf = 0;
  for (let number = 0; number < CONTAINERS; number++) {
    signal.throwIfAborted();
    callersOf = await launch(daemon.client, `container-${number}`);
  }
  return { name: 'porthole', socket: daemon.guestSocket, callersOf, async [Symbol.asyncDispose]() {} };
}

/** Seconds from the daemon's start after a kill to the first answer in a container that asks all the time. */
async function killedStart({ tools }: Bench, daemon: Portholed, guest: Peer): Promise<number> {
  await daemon.kill();
  const child = tools.spawn(guest, 'load', 'first', guest.socket, KEY_TARGET, `${PATIENCE_SECONDS}`);
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  reader.on('line', (line) => lines.push(line));
  await once(reader, 'line');
  const closed = once(reader, 'close');
  const started = process.hrtime.bigint();
  await daemon.start({ cores: 'all' });
  await closed;
  const answered = lines[1];
  if (answered === undefined) throw new Error(`${guest.name} has not answered after it was killed`);
  return Number(BigInt(answered) - started) / NS_PER_S;
}

/** Seconds from SIGHUP to the answer for an operator, who asks when the old program has handed over. */
async function hungUp(daemon: Portholed): Promise<number> {
  const started = performance.now();
  await daemon.hangUp();
  await daemon.client.get('/1.0/instances');
  return (performance.now() - started) / MS_PER_S;
}
