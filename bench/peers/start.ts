import type { Bench, Peers } from '../bench.ts';
import { buildImages, type Images } from './images.ts';
import { hasLxd, type PoolDriver, startLxd } from './lxd.ts';
import { startNginx } from './nginx.ts';
import { startNodeHttp } from './node-http.ts';
import type { ContainerPeer } from './peer.ts';
import { startPorthole } from './porthole.ts';

type Starting = Pick<Bench, 'plan' | 'results' | 'say'> & { readonly folder: string };

/** Starts all peers. The started ones end with the stack, also when a later one fails. */
export async function startPeers(bench: Starting, stack: AsyncDisposableStack): Promise<Peers> {
  const { folder, plan, say } = bench;
  say('building images');
  const images = await buildImages(folder, plan.imageMib);
  say('starting porthole');
  const porthole = stack.use(await startPorthole(folder, images, plan.checkout));
  say('starting nginx and node:http');
  const { callersOf } = porthole;
  const [nginx, nginxTuned] = [
    stack.use(await startNginx({ folder, callersOf, image: images.large, tuned: false })),
    stack.use(await startNginx({ folder, callersOf, image: images.large, tuned: true })),
  ];
  const nodeHttp = stack.use(await startNodeHttp(folder, callersOf));
  const lxd = await lxdIfPossible(bench, images, 'dir');
  if (lxd) stack.use(lxd);
  const lxdBtrfs = plan.parts.includes('h') ? await lxdIfPossible(bench, images, 'btrfs') : undefined;
  if (lxdBtrfs) stack.use(lxdBtrfs);
  return { porthole, nginx, nginxTuned, nodeHttp, lxd, lxdBtrfs };
}

/** LXD does not run everywhere; if it does not, a remark says why its column is empty. */
async function lxdIfPossible(
  bench: Starting,
  images: Images,
  driver: PoolDriver,
): Promise<ContainerPeer | undefined> {
  const { folder, results, say } = bench;
  const name = driver === 'dir' ? 'lxd' : 'lxd btrfs';
  if (!hasLxd()) {
    results.remark(name, 'not installed');
    return undefined;
  }
  say(`starting LXD with a pool on ${driver}`);
  try {
    return await startLxd(folder, images, driver);
  } catch (error) {
    results.remark(name, `could not be started: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}
