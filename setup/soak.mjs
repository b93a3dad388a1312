// `npm run soak`: makes the machine ready, then runs a daemon under load for a long time. Takes arguments.
import { handOver } from './command.mjs';
import { runMain } from './fail.mjs';
import { RUN_PACKAGES } from './packages.mjs';
import { prepare } from './prepare.mjs';

await runMain(async () => {
  const { root, node, env } = await prepare('run soak', RUN_PACKAGES);
  return handOver(node, ['soak/main.ts', ...process.argv.slice(2)], { cwd: root, env });
});
