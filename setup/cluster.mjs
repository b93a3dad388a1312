// `npm run cluster`: makes the machine ready, then brings up etcd and three members of a fleet, with a tour of it.
import { handOver } from './command.mjs';
import { runMain } from './fail.mjs';
import { CLUSTER_PACKAGES } from './packages.mjs';
import { prepare } from './prepare.mjs';

await runMain(async () => {
  const { root, node, env } = await prepare('cluster', CLUSTER_PACKAGES);
  const main = 'packages/host/src/tour/cluster/main.ts';
  return handOver(node, [main, ...process.argv.slice(2)], { cwd: root, env });
});
