// `npm run faults`: makes the machine ready, then lets daemons meet faults at each step of their work. Takes arguments.
import { handOver } from './command.mjs';
import { runMain } from './fail.mjs';
import { RUN_PACKAGES } from './packages.mjs';
import { prepare } from './prepare.mjs';

await runMain(async () => {
  const { root, node, env } = await prepare('run faults', [...RUN_PACKAGES, 'curl']);
  return handOver(node, ['faults/main.ts', ...process.argv.slice(2)], { cwd: root, env });
});
