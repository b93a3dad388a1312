// `npm run fuzz`: makes the machine ready, then sends made-up input to parts of the daemon. Takes arguments.
import { handOver } from './command.mjs';
import { runMain } from './fail.mjs';
import { RUN_PACKAGES } from './packages.mjs';
import { prepare } from './prepare.mjs';

await runMain(async () => {
  const { root, node, env } = await prepare('run fuzz', RUN_PACKAGES);
  return handOver(node, ['fuzz/main.ts', ...process.argv.slice(2)], { cwd: root, env });
});
