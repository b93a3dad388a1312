import { readdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { path } from '../../packages/host/src/client/host-client.ts';
import type { Bench } from '../bench.ts';
import { onCore } from '../frame/cores.ts';
import { launch, takeImage } from '../peers/container.ts';
import { buildImages } from '../peers/images.ts';
import { Portholed } from '../peers/porthole.ts';
import type { Place } from './attacks.ts';
import { Task } from './task.ts';

/** An instance in which the benchmark can start programs. */
export interface Neighbour {
  readonly name: string;
  /** Its name for LXC. */
  readonly id: string;
}

/**
 * A daemon with some instances: one attacks, three make the probes' requests, and an operator changes one.
 */
export interface Neighbourhood extends AsyncDisposable {
  readonly daemon: Portholed;
  readonly attacker: Neighbour;
  /** One for each kind of request, so that the kinds do not share a turn. */
  readonly witnesses: Readonly<Record<'kept' | 'fresh' | 'main', Neighbour>>;
  /** The instance whose keys the operator changes. */
  readonly bystander: Neighbour;
  readonly imageTarget: string;
  /** Sockets of the daemon and of a plain server, as a place sees them. */
  readonly socketOf: (place: Place, server?: 'plain') => string;
  /** Runs a benchmark program inside an instance. */
  readonly inside: (neighbour: Neighbour, program: string, ...args: readonly string[]) => Task;
  /** Runs a benchmark program on the host. */
  readonly onHost: (program: string, ...args: readonly string[]) => Task;
}

/** Where instances find the benchmark's programs, and the guest API's socket. */
const TOOLS = '/bench';
const SOCKET_INSIDE = '/dev/lxd/sock';
/** Instances see it among the programs. */
const PLAIN_SOCKET = 'plain.sock';

/**
 * Events in the attacker's journal: as many as are kept of one instance, minus those that the attacks add.
 */
const JOURNAL_CHANGES = 45;
const JOURNAL_KEYS = 100;

/** Starts the daemon and all instances, which are real containers. */
export async function startNeighbourhood(bench: Bench): Promise<Neighbourhood> {
  const { folder, plan, tools } = bench;
  const daemon = new Portholed(join(folder, 'neighbourhood'), plan.checkout);
  await using stack = new AsyncDisposableStack();
  stack.defer(() => daemon.destroy());
  await daemon.start({ cores: 'all' });
  const imagesFolder = join(folder, 'neighbourhood-images');
  await mkdir(imagesFolder);
  const images = await buildImages(imagesFolder, plan.imageMib);
  await takeImage(daemon.client, images.busybox, 'busybox');
  const large = await takeImage(daemon.client, images.large, 'large');
  const make = async (name: string): Promise<Neighbour> => {
    const before = new Set(idsOf(daemon));
    const config = { 'security.devlxd.guest_config': 'true' };
    const devices = { tools: { type: 'disk', source: tools.folder, path: TOOLS, readonly: 'true' } };
    await launch(daemon.client, name, { config, devices });
    return { name, id: idsOf(daemon).find((id) => !before.has(id)) as string };
  };
  const attacker = await make('attacker');
  await fillJournal(daemon, attacker);
  const witnesses = { kept: await make('kept'), fresh: await make('fresh'), main: await make('main') };
  const bystander = await make('bystander');
  const onHost = (program: string, ...args: readonly string[]) =>
    new Task(program, onCore('all', [tools.path(program), ...args]));
  const plain = stack.use(onHost('plain', tools.path(PLAIN_SOCKET)));
  await plain.ready();
  const owned = stack.move();
  return {
    daemon,
    attacker,
    witnesses,
    bystander,
    imageTarget: path`/1.0/images/${large}/export`,
    inside: ({ name, id }, program, ...args) => {
      const attach = ['lxc-attach', '-P', daemon.instancesDir, '-n', id, '--clear-env', '--'];
      return new Task(`${program} in ${name}`, onCore('all', [...attach, join(TOOLS, program), ...args]));
    },
    onHost,
    socketOf: (place, server) => {
      if (server === 'plain') return place === 'host' ? tools.path(PLAIN_SOCKET) : join(TOOLS, PLAIN_SOCKET);
      return place === 'host' ? daemon.guestSocket : SOCKET_INSIDE;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function idsOf({ instancesDir }: Portholed): string[] {
  return readdirSync(instancesDir);
}

async function fillJournal({ client }: Portholed, { name }: Neighbour): Promise<void> {
  for (let change = 0; change < JOURNAL_CHANGES; change++) {
    const keys = Array.from({ length: JOURNAL_KEYS }, (_, key) => [`user.key-${key}`, `${change}`]);
    await client.change('PATCH', path`/1.0/instances/${name}`, {
      json: { config: Object.fromEntries(keys) },
    });
  }
}
