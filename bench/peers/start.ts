import type { Bench, Peers } from '../bench.ts';
import { buildImages, type Images } from './images.ts';
import { hasLxd, startLxd } from './lxd.ts';
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
  const nginx = stack.use(await startNginx({ folder, callersOf, image: images.large }));
  const nodeHttp = stack.use(await startNodeHttp(folder, callersOf));
  const lxd = await lxdIfPossible(bench, images);
  if (lxd) stack.use(lxd);
  return { porthole, nginx, nodeHttp, lxd };
}

/** LXD does not run everywhere; if it does not, a remark says why its column is empty. */
async function lxdIfPossible(bench: Starting, images: Images): Promise<ContainerPeer | undefined> {
  const { folder, results, say } = bench;
  if (!hasLxd()) {
    results.remark('lxd', 'not installed');
    return undefined;
  }
  say('starting LXD');
  try {
    return await startLxd(folder, images);
  } catch (error) {
    results.remark('lxd', `could not be started: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}
