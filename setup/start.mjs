// `npm start`: makes the machine ready, then runs the daemon with a short tour of it.
import { handOver } from './command.mjs';
import { runMain } from './fail.mjs';
import { RUN_PACKAGES } from './packages.mjs';
import { prepare } from './prepare.mjs';

await runMain(async () => {
  const { root, node, env } = await prepare('start', RUN_PACKAGES);
  return handOver(node, ['packages/host/src/tour/main.ts', ...process.argv.slice(2)], { cwd: root, env });
});
