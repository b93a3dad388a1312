import type { Bench, Peers } from '../bench.ts';
import { buildImages } from './images.ts';
import { startNginx } from './nginx.ts';
import { startNodeHttp } from './node-http.ts';
import { startPorthole } from './porthole.ts';

/** Starts all peers. What has been started ends with the stack, also when a later one fails. */
export async function startPeers(
  { folder, plan, results, say }: Pick<Bench, 'folder' | 'plan' | 'results' | 'say'>,
  stack: AsyncDisposableStack,
): Promise<Peers> {
  say('building images');
  const images = await buildImages(folder, plan.imageMib);
  say('starting porthole');
  const porthole = stack.use(await startPorthole(folder, images));
  say('starting nginx and node:http');
  const { callersOf } = porthole;
  const nginx = stack.use(await startNginx({ folder, callersOf, image: images.large }));
  const nodeHttp = stack.use(await startNodeHttp(folder, callersOf));
  results.remark('lxd', 'not measured');
  return { porthole, nginx, nodeHttp, lxd: undefined };
}
