import { type Bench, present } from '../bench.ts';
import { bind } from '../frame/cores.ts';
import { interleave } from '../frame/rounds.ts';
import { launch, remove } from '../peers/container.ts';
import type { ContainerPeer } from '../peers/peer.ts';

const NAME = 'short-lived';

/** The size of the root of some of Porthole's instances. */
const SIZED = { root: { type: 'disk', path: '/', pool: 'default', size: '500MiB' } };

/** The column of these instances. */
const SIZED_NAME = 'porthole sized';

/** h. How long it takes to launch and to delete a small container, on all cores; also with a limited root. */
export async function measureLaunch(bench: Bench): Promise<void> {
  const { plan, results, say, signal } = bench;
  const { porthole, lxd, lxdBtrfs } = await bench.peers();
  const subjects = present<ContainerPeer>(porthole, lxd, lxdBtrfs);
  say('launch and delete');
  for (const peer of subjects) await bind(peer.pid, 'all');
  await interleave(
    subjects,
    plan.rounds,
    async (peer) => {
      signal.throwIfAborted();
      results.add('launch', peer.name, await timed(() => launch(peer.client, NAME)));
      results.add('delete', peer.name, await timed(() => remove(peer.client, NAME)));
      if (peer !== porthole) return;
      results.add('launch', SIZED_NAME, await timed(() => launch(peer.client, NAME, { devices: SIZED })));
      results.add('delete', SIZED_NAME, await timed(() => remove(peer.client, NAME)));
    },
    async (peer) => {
      await launch(peer.client, NAME);
      await remove(peer.client, NAME);
    },
  );
  for (const peer of subjects) await bind(peer.pid, 'server');
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
