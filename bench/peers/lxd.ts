import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HostClient, path } from '../../packages/host/src/client/host-client.ts';
import { run } from '../../packages/host/src/process/run.ts';
import { onCore } from '../frame/cores.ts';
import { Program } from '../frame/programs.ts';
import { until, untilServed } from '../frame/wait.ts';
import { launch, remove, takeImage } from './container.ts';
import type { Images } from './images.ts';
import type { ContainerPeer } from './peer.ts';

/** As Debian installs it. */
export const LXD = '/usr/bin/lxd';

/** Of the pool: plain folders, or a file with a file system in which a root is a snapshot of its image. */
export type PoolDriver = 'dir' | 'btrfs';

/** Of a pool in a file. */
const POOL_SIZE = '8GiB';

/** One pool, no network. */
function preseed(driver: PoolDriver): string {
  const pool = { name: 'default', driver, config: driver === 'btrfs' ? { size: POOL_SIZE } : {} };
  const root = { type: 'disk', path: '/', pool: 'default' };
  return JSON.stringify({ storage_pools: [pool], profiles: [{ name: 'default', devices: { root } }] });
}

/** The instance whose namespaces callers enter. */
const INSTANCE = 'caller';

/** A running LXD without instances. */
export interface EmptyLxd extends AsyncDisposable {
  readonly pid: number;
  readonly client: HostClient;
}

/** Whether LXD is installed. */
export function hasLxd(): boolean {
  return existsSync(LXD);
}

/**
 * LXD without instances, in its own folder. It has its own network namespace, because it asks the
 * internet for images and instance types by itself, and its own mount namespace, so that its mounts go away
 * however it ends.
 * @param binary LXD, or a copy of it
 */
export async function startEmptyLxd(
  directory: string,
  driver: PoolDriver = 'dir',
  binary: string = LXD,
): Promise<EmptyLxd> {
  const client = new HostClient(join(directory, 'unix.socket'));
  await mkdir(directory);
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const apart = ['unshare', '--net', '--mount', '--propagation', 'private'];
  const program = new Program(
    onCore('server', ['env', `LXD_DIR=${directory}`, ...apart, binary, '--group', 'root']),
  );
  stack.defer(() => program.stop());
  await untilServed(client.socketPath, program);
  await initialize(directory, driver);
  const owned = stack.move();
  return { pid: program.pid, client, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** LXD with one real container. */
export async function startLxd(folder: string, images: Images, driver: PoolDriver): Promise<ContainerPeer> {
  const name = driver === 'dir' ? 'lxd' : 'lxd btrfs';
  const directory = join(folder, name.replace(' ', '-'));
  await using stack = new AsyncDisposableStack();
  const { client, pid } = stack.use(await startEmptyLxd(directory, driver));
  await takeImage(client, images.busybox, 'busybox');
  const large = await takeImage(client, images.large, 'large');
  stack.defer(() => removeAll(client));
  const callersOf = await launch(client, INSTANCE);
  const owned = stack.move();
  return {
    name,
    client,
    pid,
    socket: join(directory, 'devlxd', 'sock'),
    callersOf,
    mountsOf: pid,
    instance: INSTANCE,
    exportTarget: path`/1.0/images/${large}/export`,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function initialize(directory: string, driver: PoolDriver): Promise<void> {
  let failure = '';
  await until('LXD takes its first settings', async () => {
    const args = [`LXD_DIR=${directory}`, LXD, 'init', '--preseed'];
    const finished = await run('env', args, { input: preseed(driver) });
    failure = finished.failure;
    return finished.ok;
  }).catch((error: Error) => {
    throw new Error(`${error.message}: ${failure}`);
  });
}

/** Removes all instances, also those that an interrupted measurement has left. */
async function removeAll(client: HostClient): Promise<void> {
  const instances = await client.get<string[]>('/1.0/instances');
  for (const instance of instances) await remove(client, instance.split('/').at(-1) as string);
}
