// `npm run fleet-faults`: makes the machine ready, then lets a fleet work under faults. Takes arguments.
import { handOver } from './command.mjs';
import { runMain } from './fail.mjs';
import { FLEET_FAULTS_PACKAGES, RUN_PACKAGES } from './packages.mjs';
import { prepare } from './prepare.mjs';

await runMain(async () => {
  const { root, node, env } = await prepare('run fleet-faults', [...RUN_PACKAGES, ...FLEET_FAULTS_PACKAGES]);
  // Its hosts are on a network of their own, of which nothing is left when it has ended.
  const args = ['--net', node, 'faults/fleet/main.ts', ...process.argv.slice(2)];
  return handOver('unshare', args, { cwd: root, env });
});
